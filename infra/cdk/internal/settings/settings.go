package settings

// What happens to the tables when the stack is deleted.
const (
	// Retain keeps the tables, and protects them from deletion while the stack lives.
	Retain = "retain"
	// Destroy deletes the tables with the stack. For trials.
	Destroy = "destroy"
)

// Architectures of the functions.
const (
	ARM64 = "arm64"
	X8664 = "x86_64"
)

// Member is another account or region whose clusters the installation looks after.
type Member struct {
	Account string // 12 digits
	Region  string
}

// String is ACCOUNT/REGION, as parameters and BLOX_MEMBERS have it.
func (m Member) String() string { return m.Account + "/" + m.Region }

// Settings are the parameters of one deployment. From fills in and checks all of them.
type Settings struct {
	// Installation tells several installations in one account and region apart.
	Installation string
	// RetentionDays is how long stopped tasks and gone container instances stay visible.
	RetentionDays int
	// ReconcileMinutes is the time between two sweeps of all clusters.
	ReconcileMinutes int
	// ReadsPerSecond and ModifiesPerSecond are the shares of ECS's call limits that the installation takes, for each
	// account and region.
	ReadsPerSecond    int
	ModifiesPerSecond int
	// Watchers is how many streams may be open at the same time: the reserved concurrency of the stream function. 0 reserves
	// nothing and limits nothing but what the account allows all functions together. Lambda leaves an account 10 unreserved
	// ones at least, so that one with a quota of 10, as new ones may have, can reserve none.
	Watchers int
	// ForwardChanges puts every change of the state on the installation's bus. EventBridge takes money for each.
	ForwardChanges bool
	// PassableRoleARNs are the task roles and execution roles that daemons may run with. None: only task definitions
	// without roles can be run.
	PassableRoleARNs []string
	// RemovalPolicy is Retain or Destroy.
	RemovalPolicy string
	// CustomerKey encrypts the tables with a KMS key of the stack instead of one that AWS owns.
	CustomerKey bool
	// AlarmEmail gets the alarms; empty for nobody.
	AlarmEmail string
	// Tracing turns X-Ray on for functions and API.
	Tracing bool
	// LogRetentionDays is how long the functions' and the API's logs are kept.
	LogRetentionDays int
	// Architecture of the functions: ARM64 or X8664.
	Architecture string
	// Members are the other accounts and regions, in the order given.
	Members []Member
	// ExternalID is what roles in member accounts ask for; empty when there are no members.
	ExternalID string
	// CentralAccount and CentralRegion say where the installation lives. With them the app makes the member stack in place
	// of the installation's own.
	CentralAccount string
	CentralRegion  string
	// Version is what the API says that it is.
	Version string
	// FunctionsDirectory holds <function>/bootstrap for every function.
	FunctionsDirectory string
	// OpenAPIPath is the API's document; its 3.0 form lies beside it.
	OpenAPIPath string
}

// IsMember says whether the member stack is asked for.
func (s *Settings) IsMember() bool { return s.CentralAccount != "" }

// MemberList is the value of BLOX_MEMBERS: "none", or ACCOUNT/REGION with commas between.
func (s *Settings) MemberList() string {
	if len(s.Members) == 0 {
		return none
	}
	return joined(s.Members)
}

// ExternalIDOrNone is the value of BLOX_EXTERNAL_ID: a function's variables may not be empty.
func (s *Settings) ExternalIDOrNone() string {
	if s.ExternalID == "" {
		return none
	}
	return s.ExternalID
}

// none stands for an empty value in the functions' environment.
const none = "none"
