package synthtest

import "encoding/json"

// Finding is where a finding of cdk-nag was made, and what it says. The Go binding marks every field of it as deprecated,
// but not its JSON.
func Finding(finding any) string {
	var f struct {
		ID    string `json:"id"`
		Entry struct {
			Data string `json:"data"`
		} `json:"entry"`
	}
	text, err := json.Marshal(finding)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		panic(err)
	}
	return f.ID + ": " + f.Entry.Data
}
