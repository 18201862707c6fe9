package sim

// MustMeet is what many runs together must have met: without it they would hold for want of anything that could break
// them. NotMet says what is missing.
var MustMeet = []string{}

// NotMet gives what MustMeet names and met does not have.
func NotMet(met map[string]int) []string {
	var missing []string
	for _, what := range MustMeet {
		if met[what] == 0 {
			missing = append(missing, what)
		}
	}
	return missing
}
