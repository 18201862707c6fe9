package member

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/blox/blox/infra/cdk/internal/ecsaccess"
	"github.com/blox/blox/infra/cdk/internal/member/rolename"
)

// readRole lists and describes, for functions reconcile and api: each one's calls are a policy of their own, so that
// whoever reads the role sees what is for which. It starts, stops and changes nothing; the copies of task definitions that
// api registers run only if somebody runs them, which this role may not.
func (m *member) readRole() awsiam.Role {
	return m.role("ReadRole", rolename.Read(m.settings.Installation, *m.stack.Region()),
		"Lists and describes ECS, and copies task definitions, for the Blox installation "+m.settings.Installation,
		[]string{rolename.Reconcile, rolename.API},
		map[string]awsiam.PolicyDocument{
			"reconcile": document(ecsaccess.Reconcile(m.place())),
			"api":       document(ecsaccess.API(m.place(), m.settings.PassableRoleARNs)),
		})
}

// schedulerRole starts and stops tasks, for function drive.
func (m *member) schedulerRole() awsiam.Role {
	return m.role("SchedulerRole", rolename.Scheduler(m.settings.Installation, *m.stack.Region()),
		"Starts and stops daemons for the Blox installation "+m.settings.Installation,
		[]string{rolename.Drive},
		map[string]awsiam.PolicyDocument{
			"drive": document(ecsaccess.Drive(m.place(), m.settings.PassableRoleARNs)),
		})
}

func (m *member) place() ecsaccess.Place {
	return ecsaccess.Place{Partition: *awscdk.Aws_PARTITION(), Account: *m.stack.Account(), Region: *m.stack.Region()}
}

// role is a role that the roles of the named functions may assume, with the installation's external id.
//
// The installation's account is the principal and the functions' roles a condition. Were a role the principal itself,
// IAM would replace its ARN by its internal id when it stores the policy: the role would have to exist before this stack
// does, and a role deleted and made again, by a rollback for example, would be locked out although it looks the same.
// aws:PrincipalArn is compared as text with the ARN of the role behind the session.
//
// The external id does what the roles' names cannot: an installation in the same account with another external id is
// another installation, whatever its roles are named.
func (m *member) role(id, name, description string, functions []string, policies map[string]awsiam.PolicyDocument) awsiam.Role {
	s := m.settings
	callers := make([]string, len(functions))
	for i, function := range functions {
		callers[i] = rolename.ARN(*awscdk.Aws_PARTITION(), s.CentralAccount, rolename.Caller(s.Installation, function, s.CentralRegion))
	}
	role := awsiam.NewRole(m.stack, jsii.String(id), &awsiam.RoleProps{
		RoleName:    jsii.String(name),
		Description: jsii.String(description),
		AssumedBy: awsiam.NewAccountPrincipal(jsii.String(s.CentralAccount)).WithConditions(&map[string]any{
			"StringEquals": map[string]any{"sts:ExternalId": s.ExternalID},
			"ArnEquals":    map[string]any{"aws:PrincipalArn": callers},
		}),
		InlinePolicies: &policies,
	})
	cdknag.NagSuppressions_AddResourceSuppressions(role, ecsaccess.Suppressions(), nil)
	return role
}

func document(statements []awsiam.PolicyStatement) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}
