// Package unused is no part of the simulation.
package unused

// Answer is read by nobody.
const Answer = 42
