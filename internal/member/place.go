package member

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/blox/blox/internal/state"
)

// None is how a setting says that there are no members, or no external id: Lambda knows no empty variables.
const None = "none"

// MaxMembers bounds an installation's members: each costs a sweep a period, and together they must fit into Lambda's
// 4 KB of environment variables.
const MaxMembers = 50

// Place is an account and a region.
type Place struct{ Account, Region string }

// String is ACCOUNT/REGION; ParsePlaces reads it.
func (p Place) String() string { return p.Account + "/" + p.Region }

// PlaceOf is where a cluster is.
func PlaceOf(cluster state.ClusterKey) Place {
	return Place{Account: cluster.Account, Region: cluster.Region}
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$`)
)

// ParsePlaces reads the members of an installation: None, or ACCOUNT/REGION with commas in between. The home is none of
// them, and must be in the same partition: no role can be assumed across partitions.
func ParsePlaces(s string, home Place) ([]Place, error) {
	if s == None {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > MaxMembers {
		return nil, fmt.Errorf("these are %d members, allowed are %d", len(parts), MaxMembers)
	}
	seen := map[Place]bool{}
	places := make([]Place, 0, len(parts))
	for _, part := range parts {
		p, err := parsePlace(part)
		switch {
		case err != nil:
			return nil, err
		case p == home:
			return nil, fmt.Errorf("member %s is the home, which is always there: leave it out", p)
		case seen[p]:
			return nil, fmt.Errorf("member %s is in the list twice", p)
		case state.PartitionOf(p.Region) != state.PartitionOf(home.Region):
			return nil, fmt.Errorf("member %s is in partition %s, allowed is that of the home, %s",
				p, state.PartitionOf(p.Region), state.PartitionOf(home.Region))
		}
		seen[p] = true
		places = append(places, p)
	}
	return places, nil
}

func parsePlace(s string) (Place, error) {
	account, region, ok := strings.Cut(s, "/")
	if !ok || !accountPattern.MatchString(account) || !regionPattern.MatchString(region) {
		return Place{}, fmt.Errorf("member %q: allowed are %s, and ACCOUNT/REGION with commas in between, such as 210987654321/eu-west-1", s, None)
	}
	return Place{Account: account, Region: region}, nil
}

// What AWS STS takes as an external id.
var externalIDPattern = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]{2,}$`)

const maxExternalID = 1224

// CheckExternalID says what is wrong with an external id: there must be one if there are members. Without them it is used
// for nothing, and may stay for those to come.
func CheckExternalID(id string, members []Place) error {
	switch {
	case len(members) == 0:
		return nil
	case id == None:
		return errors.New("there are members, whose roles ask for one")
	case len(id) > maxExternalID || !externalIDPattern.MatchString(id):
		return fmt.Errorf("allowed are 2 to %d letters, digits and _+=,.@:/-", maxExternalID)
	}
	return nil
}
