package ecssim

import "time"

// category is a group of actions that share one rate; the limits are per account and Region, as this simulator is.
type category string

const (
	clusterResourceRead   category = "cluster resource read"
	clusterResourceModify category = "cluster resource modify"
	clusterRead           category = "cluster read"
	clusterModify         category = "cluster modify"
	serviceRead           category = "service read"
	serviceModify         category = "service modify"
	definitionRead        category = "task definition read"
	definitionModify      category = "task definition modify"
	tagRead               category = "tag read"
	tagModify             category = "tag modify"
	agentCalls            category = "agent"
)

// rates are AWS's (API reference, "Request throttling"): burst, and sustained calls per second.
var rates = map[category]struct{ burst, sustained float64 }{
	clusterResourceRead:   {100, 20},
	clusterResourceModify: {100, 40},
	clusterRead:           {50, 20},
	clusterModify:         {20, 1},
	serviceRead:           {100, 20},
	serviceModify:         {50, 5},
	definitionRead:        {50, 20},
	definitionModify:      {20, 1},
	tagRead:               {50, 20},
	tagModify:             {20, 10},
	agentCalls:            {200, 120},
}

type bucket struct {
	tokens float64
	at     time.Time
}

// admit takes a token of the action's bucket, or refuses the call.
func (s *Simulator) admit(action string, c category) error {
	if s.faults.throttles(action) {
		return throttled()
	}
	if !s.cfg.Throttle {
		return nil
	}
	rate := rates[c]
	b := s.buckets[c]
	if b == nil {
		b = &bucket{tokens: rate.burst, at: s.now}
		s.buckets[c] = b
	}
	b.tokens = min(rate.burst, b.tokens+s.now.Sub(b.at).Seconds()*rate.sustained)
	b.at = s.now
	if b.tokens < 1 {
		return throttled()
	}
	b.tokens--
	return nil
}

func throttled() error {
	return &apiError{Type: "ThrottlingException", Message: "Rate exceeded"}
}
