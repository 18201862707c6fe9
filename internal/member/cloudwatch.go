package member

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// CloudWatch is the client of CloudWatch in an account and region, with the same role as ECS's. The error is an
// *UnknownPlaceError.
func (c *Clients) CloudWatch(account, region string) (*cloudwatch.Client, error) {
	p := Place{Account: account, Region: region}
	if err := c.check(p); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.alarms[p]; ok {
		return client, nil
	}
	options := []func(*cloudwatch.Options){func(o *cloudwatch.Options) { o.Region = p.Region }}
	if p != c.cfg.Home {
		credentials := c.credentials(p)
		options = append(options, func(o *cloudwatch.Options) { o.Credentials = credentials })
	}
	client := cloudwatch.NewFromConfig(c.cfg.AWS, options...)
	c.alarms[p] = client
	return client, nil
}
