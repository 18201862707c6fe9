package state

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesThatFiltersTake(t *testing.T) {
	for _, c := range []struct {
		what     string
		parse    func(string) (string, error)
		good     []string
		bad      []string
		mentions string
	}{
		{
			"family", ParseFamilyFilter,
			[]string{"web", "Log_agent-2", strings.Repeat("x", 255)},
			[]string{"", "a b", "a/b", "a:0", strings.Repeat("x", 256)},
			"letters, digits, hyphens and underscores",
		},
		{
			"family with a revision", ParseFamilyFilter, nil,
			[]string{"web:3", "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:3"},
			"taskDefinition",
		},
		{
			"EC2 instance id", ParseEC2InstanceID,
			[]string{"i-1", "i-0a1b2c3d4e5f60718", "mi-0a1b2c3d4e5f60718"},
			[]string{"", "i-", "0a1b2c", "I-1", "x-1", "i-1 ", "i-" + strings.Repeat("0", 62)},
			"i-… and mi-…",
		},
		{
			"instance type", ParseInstanceType,
			[]string{"m7g.large", "u-6tb1.metal", "external"},
			[]string{"", "m7g large", "m7g/large", ".x", strings.Repeat("x", 65)},
			"such as m7g.large",
		},
		{
			"availability zone", ParseAvailabilityZone,
			[]string{"eu-west-1a", "us-west-2-lax-1a"},
			[]string{"", "eu west", "eu-west-1a,eu-west-1b", "-", strings.Repeat("x", 65)},
			"such as eu-west-1a",
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, s := range c.good {
				got, err := c.parse(s)
				require.NoError(t, err)
				require.Equal(t, s, got)
			}
			for _, s := range c.bad {
				_, err := c.parse(s)
				require.ErrorContains(t, err, c.mentions, s)
			}
		})
	}
}

func TestAnARNsPartitionIsThatOfItsRegion(t *testing.T) {
	for text, good := range map[string]bool{
		"arn:aws:ecs:eu-west-1:123456789012:cluster/edge":        true,
		"arn:aws-cn:ecs:cn-north-1:123456789012:cluster/edge":    true,
		"arn:aws-cn:ecs:eu-west-1:123456789012:cluster/edge":     false,
		"arn:aws:ecs:us-gov-west-1:123456789012:cluster/edge":    false,
		"arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task/a/b": true,
	} {
		arn, err := ParseARN(text)
		require.NoError(t, err)
		if good {
			require.NoError(t, arn.CheckPartition())
			continue
		}
		require.ErrorContains(t, arn.CheckPartition(), "allowed in region "+arn.Region+" is "+PartitionOf(arn.Region))
	}
}
