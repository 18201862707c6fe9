package event

// The reasons why an event is invalid. They are stable: the dead-letter queue
// carries them as the attribute `reason`, and alarms and runbooks name them.
const (
	ReasonTooLarge          = "too-large"
	ReasonTooDeep           = "too-deep"
	ReasonNotJSON           = "not-json"
	ReasonUnknownSource     = "unknown-source"
	ReasonUnknownDetailType = "unknown-detail-type"
	ReasonMissingTime       = "missing-time"
	ReasonMissingDetail     = "missing-detail"
	ReasonMissingARN        = "missing-arn"
	ReasonInvalidARN        = "invalid-arn"
	ReasonInvalidVersion    = "invalid-version"
	ReasonMissingStatus     = "missing-status"
	ReasonAccountMismatch   = "account-mismatch"
	ReasonRegionMismatch    = "region-mismatch"
	ReasonClusterMismatch   = "cluster-mismatch"
	// ReasonWrongType is followed by the path of the field, as in
	// "wrong-type:containers.exitCode".
	ReasonWrongType = "wrong-type:"
	// ReasonTooLong is followed by the name of the field, as in
	// "too-long:startedBy".
	ReasonTooLong = "too-long:"
)

// InvalidError says why an event can never be used, however often it comes.
type InvalidError struct {
	// Reason is one of the Reason constants, for machines.
	Reason string
	// Message says what was wrong and what is allowed, for people.
	Message string
}

func (e *InvalidError) Error() string { return "invalid event (" + e.Reason + "): " + e.Message }

func invalid(reason, message string) error { return &InvalidError{Reason: reason, Message: message} }
