package main

// mutants is the table of known faults, each one a mistake that the design
// warns of by name.
var mutants = []mutant{
	{name: "no version check"},
	{name: "claim after the call"},
	{name: "token without attempt"},
	{name: "RUNNING only listed"},
	{name: "lease ignored"},
	{name: "budget from STATE only"},
}
