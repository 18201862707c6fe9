// Package clusterquery parses and evaluates the cluster query language of Amazon ECS, the expressions of memberOf
// placement constraints and of ListContainerInstances' filter:
//
//	attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d
//	not(task:group == database) && ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']
//
// It knows no AWS type: a host is a plain struct, so that the scheduler and the ECS simulator can share one reading of
// the language. The tests pin it with the examples AWS publishes, because two users of one parser would share its errors.
package clusterquery
