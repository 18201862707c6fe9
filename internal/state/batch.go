package state

// NewestPerKey splits a batch into the newest observation of each key and the
// rest. Only the newest need be written: the others would be refused by their
// version, and DynamoDB charges a refused write as well.
//
// At an equal version a Describe beats an event and a later Describe an earlier
// one, for they may hold what has no version; of equal events the first stays.
// Both results keep the order of the batch.
func NewestPerKey(batch []Observation) (newest, superseded []Observation) {
	winner := make(map[Key]int, len(batch))
	for i, seen := range batch {
		best, ok := winner[seen.Key]
		if !ok || beats(seen, batch[best]) {
			winner[seen.Key] = i
		}
	}
	for i, seen := range batch {
		if winner[seen.Key] == i {
			newest = append(newest, seen)
		} else {
			superseded = append(superseded, seen)
		}
	}
	return newest, superseded
}

func beats(seen, best Observation) bool {
	if seen.Version != best.Version {
		return seen.Version > best.Version
	}
	if seen.Source != best.Source {
		return seen.Source == SourceDescribed
	}
	return seen.Source == SourceDescribed && seen.ObservedAt.After(best.ObservedAt)
}
