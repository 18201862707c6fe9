package member

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/blox/blox/internal/state"
)

var home = Place{Account: "210987654321", Region: "eu-west-1"}

func TestMembersAreAList(t *testing.T) {
	none, err := ParsePlaces("none", home)
	require.NoError(t, err)
	require.Empty(t, none)

	got, err := ParsePlaces("210987654321/us-east-1,123456789012/eu-west-1,123456789012/ap-southeast-5", home)
	require.NoError(t, err)
	require.Equal(t, []Place{{"210987654321", "us-east-1"}, {"123456789012", "eu-west-1"}, {"123456789012", "ap-southeast-5"}}, got)

	gov, err := ParsePlaces("123456789012/us-gov-east-1", Place{"210987654321", "us-gov-west-1"})
	require.NoError(t, err)
	require.Equal(t, []Place{{"123456789012", "us-gov-east-1"}}, gov)
}

func TestMembersThatAreRefused(t *testing.T) {
	const form = ": allowed are none, and ACCOUNT/REGION with commas in between, such as 210987654321/eu-west-1"
	many := make([]string, MaxMembers+1)
	for i := range many {
		many[i] = fmt.Sprintf("%012d/eu-west-1", i)
	}
	for given, want := range map[string]string{
		"":                            `member ""` + form,
		"123456789012":                `member "123456789012"` + form,
		"12345678901/eu-west-1":       `member "12345678901/eu-west-1"` + form,
		"123456789012/eu":             `member "123456789012/eu"` + form,
		"123456789012/eu-west-1,":     `member ""` + form,
		"123456789012/eu-west-1/x":    `member "123456789012/eu-west-1/x"` + form,
		"none,123456789012/eu-west-1": `member "none"` + form,
		"123456789012/eu-west-1, 123456789012/us-east-1": `member " 123456789012/us-east-1"` + form,
		"210987654321/eu-west-1":                         "member 210987654321/eu-west-1 is the home, which is always there: leave it out",
		"123456789012/eu-west-1,123456789012/eu-west-1":  "member 123456789012/eu-west-1 is in the list twice",
		"123456789012/cn-north-1":                        "member 123456789012/cn-north-1 is in partition aws-cn, allowed is that of the home, aws",
		strings.Join(many, ","):                          "these are 51 members, allowed are 50",
	} {
		_, err := ParsePlaces(given, home)
		require.EqualError(t, err, want, given)
	}
}

func TestAnExternalIDBelongsToMembers(t *testing.T) {
	members := []Place{{"123456789012", "eu-west-1"}}
	require.NoError(t, CheckExternalID("none", nil))
	require.NoError(t, CheckExternalID("5f0c7c9e-8a51-4a39", members))
	require.NoError(t, CheckExternalID("secret", nil), "it waits for the first member")
	require.EqualError(t, CheckExternalID("none", members), "there are members, whose roles ask for one")
	for _, id := range []string{"x", "with space", strings.Repeat("x", 1225)} {
		require.EqualError(t, CheckExternalID(id, members), "allowed are 2 to 1224 letters, digits and _+=,.@:/-")
	}
}

func TestSettings(t *testing.T) {
	good := map[string]string{
		"BLOX_ACCOUNT": home.Account, "AWS_REGION": home.Region, "BLOX_MEMBERS": "123456789012/us-east-1", "BLOX_EXTERNAL_ID": "secret",
	}
	read := func(name, value string) (s Settings, err error) {
		err = s.Read(func(asked string) string {
			if asked == name {
				return value
			}
			return good[asked]
		})
		return s, err
	}
	s, err := read("", "")
	require.NoError(t, err)
	require.Equal(t, []Place{home, {"123456789012", "us-east-1"}}, s.Places())
	for name := range good {
		_, err := read(name, "")
		require.EqualError(t, err, "environment variable "+name+" is not set")
	}
	_, err = read("BLOX_MEMBERS", home.String())
	require.EqualError(t, err, `environment variable BLOX_MEMBERS is "210987654321/eu-west-1": member 210987654321/eu-west-1 is the home, which is always there: leave it out`)
	_, err = read("BLOX_EXTERNAL_ID", "none")
	require.EqualError(t, err, `environment variable BLOX_EXTERNAL_ID is "none": there are members, whose roles ask for one`)
}

func TestPlaceOf(t *testing.T) {
	require.Equal(t, home, PlaceOf(state.ClusterKey{Account: home.Account, Region: home.Region, Name: "edge"}))
}
