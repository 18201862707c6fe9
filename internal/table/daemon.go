package table

import (
	"github.com/blox/blox/internal/daemon"
	"github.com/blox/blox/internal/dynamo"
	"github.com/blox/blox/internal/state"
)

// Daemon is the DAEMON table.
//
//	pk                                sk                          holds
//	environments                      NAME                        DirectoryEntry
//	cluster/ACCOUNT/REGION/CLUSTER    ENVIRONMENT                 Membership: which environments a cluster's change concerns
//	environment/ID                    environment                 daemon.Environment
//	environment/ID                    revision/00000001           daemon.Revision
//	environment/ID                    deployment/ID               daemon.Deployment; the ids sort by time
//	environment/ID                    token/TOKEN                 the deployment that the token made
//	environment/ID                    slot/HOST                   daemon.Slot
//	environment/ID                    lease                       Lease
//	environment/ID                    timeline/DEPLOYMENT/…       TimelineEntry
//	deleted                           NAME/ID                     DeletedEnvironment, for a day
//	budget/ACCOUNT/REGION/BUCKET      budget                      call tokens left
type Daemon struct {
	db   dynamo.API
	name string
}

// NewDaemon is the DAEMON table of that name.
func NewDaemon(db dynamo.API, name string) *Daemon {
	return &Daemon{db: dynamo.RetryConflicts(db), name: name}
}

const (
	directoryPK   = "environments"
	environmentSK = "environment"
	leaseSK       = "lease"
)

func environmentPK(id string) string               { return "environment/" + id }
func membershipPK(cluster state.ClusterKey) string { return "cluster/" + cluster.String() }
func deploymentSK(id string) string                { return "deployment/" + id }
func tokenSK(token string) string                  { return "token/" + token }
func slotSK(host daemon.HostKey) string            { return "slot/" + host.String() }
