package member

import (
	"fmt"

	"github.com/blox/blox/internal/functionenv"
)

// Settings are what a function is told about where it works.
type Settings struct {
	Home       Place   // BLOX_ACCOUNT and AWS_REGION: where the function runs
	Members    []Place // BLOX_MEMBERS
	ExternalID string  // BLOX_EXTERNAL_ID: None if there are no members
}

// Read reads the settings, and the function's other variables with them.
func (s *Settings) Read(getenv func(string) string, others ...functionenv.Variable) error {
	if err := s.ReadHome(getenv); err != nil {
		return err
	}
	err := functionenv.Read(getenv, append([]functionenv.Variable{
		functionenv.Parsed("BLOX_MEMBERS", &s.Members, func(value string) ([]Place, error) { return ParsePlaces(value, s.Home) }),
		functionenv.Text("BLOX_EXTERNAL_ID", &s.ExternalID),
	}, others...)...)
	if err != nil {
		return err
	}
	if err := CheckExternalID(s.ExternalID, s.Members); err != nil {
		return fmt.Errorf("environment variable BLOX_EXTERNAL_ID is %q: %w", s.ExternalID, err)
	}
	return nil
}

// ReadHome reads BLOX_ACCOUNT and AWS_REGION alone, for a function that calls ECS nowhere.
func (s *Settings) ReadHome(getenv func(string) string) error {
	return functionenv.Read(getenv,
		functionenv.Account("BLOX_ACCOUNT", &s.Home.Account),
		functionenv.Text("AWS_REGION", &s.Home.Region),
	)
}

// Places are the home and the members, the home first.
func (s Settings) Places() []Place { return append([]Place{s.Home}, s.Members...) }
