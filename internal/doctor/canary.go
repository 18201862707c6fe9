package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// Canary is a task whose life is to be seen in Blox's state.
type Canary struct {
	Cluster        string // name or ARN
	TaskDefinition string // family, family:revision or ARN
	// Within is how much later than in ECS a status may be seen in Blox.
	Within time.Duration
}

const (
	canaryPoll = time.Second
	// canaryPatience bounds how long ECS itself may take to start the task, and to stop it: images are pulled, and
	// containers have their stopTimeout of up to two minutes.
	canaryPatience = 4 * time.Minute
	// cleanupLimit bounds what is done for a task after the check was given up.
	cleanupLimit = 30 * time.Second
	// startedByPrefix marks canaries, also those of a run that was killed.
	startedByPrefix = "blox-doctor/"
)

// stages are the lastStatus values in the order of a task's life.
var stages = map[string]int{
	"PROVISIONING": 1, "PENDING": 2, "ACTIVATING": 3, "RUNNING": 4, "DEACTIVATING": 5, "STOPPING": 6, "DEPROVISIONING": 7, "STOPPED": 8, "DELETED": 9,
}

// life is what is known of the canary's task.
type life struct {
	canary       Canary
	startedBy    string
	cluster, arn string // ARNs, once ECS has told them
	inECS        string // lastStatus
	inBlox       string // lastStatus, and empty until it is seen
	reason       string // why it stopped
	// unsure is that RunTask failed without an answer, or with one that does not exclude that the task was started.
	unsure bool
}

func (d *examination) canary(ctx context.Context) {
	switch {
	case d.Canary == nil:
		d.add(skipped(checkCanary, "--cluster and --canary-task-definition let a task run and look whether its life is seen"))
		return
	case d.noAWS != "":
		d.add(skipped(checkCanary, d.noAWS))
		return
	case d.blox == nil:
		d.add(skipped(checkCanary, "the API cannot be called"))
		return
	}
	task := &life{canary: *d.Canary, startedBy: startedByPrefix + d.NewID()}
	result := d.live(ctx, task)
	// Whatever became of the check, and of its context, the task is not left behind.
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	d.add(result)
	if left := d.cleanUp(cleaning, task); left != "" {
		d.add(fail(checkCanary, left, "stop it: aws ecs list-tasks --cluster "+task.canary.Cluster+" --started-by "+task.startedBy+
			" finds it, aws ecs stop-task ends it"))
	}
}

// live runs the task and sees it through its life.
func (d *examination) live(ctx context.Context, task *life) Result {
	if refused := d.start(ctx, task); refused != nil {
		return *refused
	}
	running, refused := d.follow(ctx, task, "RUNNING")
	if refused != nil {
		return *refused
	}
	ended := task.inECS == "STOPPED"
	if !ended {
		if _, err := d.AWS.ECS.StopTask(ctx, &ecs.StopTaskInput{
			Cluster: &task.cluster, Task: &task.arn, Reason: aws.String("blox doctor has seen it"),
		}); err != nil {
			return fail(checkCanary, "the task cannot be stopped: "+d.Explain(err), "allow this identity ecs:StopTask")
		}
	}
	stopped, refused := d.follow(ctx, task, "STOPPED")
	if refused != nil {
		return *refused
	}
	seen := fmt.Sprintf("a task in %s was seen RUNNING %s and STOPPED %s", task.canary.Cluster, later(running), later(stopped))
	if ended {
		seen = fmt.Sprintf("a task in %s was seen STOPPED %s; it ended by itself (%s)", task.canary.Cluster, later(stopped), task.reason)
	}
	return ok(checkCanary, "%s", seen)
}

// later says how long after ECS Blox knew.
func later(d time.Duration) string {
	if d < canaryPoll {
		return "at once"
	}
	return roughly(d) + " after ECS told it"
}

func (d *examination) start(ctx context.Context, task *life) *Result {
	out, err := d.AWS.ECS.RunTask(ctx, &ecs.RunTaskInput{
		Cluster: &task.canary.Cluster, TaskDefinition: &task.canary.TaskDefinition, Count: aws.Int32(1), StartedBy: &task.startedBy,
	})
	const may = "check --cluster and --canary-task-definition; this identity needs ecs:RunTask, and iam:PassRole on the task definition's roles"
	if err != nil {
		var answered smithy.APIError
		task.unsure = !errors.As(err, &answered) || answered.ErrorFault() != smithy.FaultClient
		return refusal("the task cannot be started: "+d.Explain(err), may)
	}
	if len(out.Failures) > 0 {
		f := out.Failures[0]
		return refusal(fmt.Sprintf("ECS did not start the task: %s %s", aws.ToString(f.Reason), aws.ToString(f.Detail)),
			"choose a task definition for which the cluster has room, or another cluster")
	}
	if len(out.Tasks) == 0 {
		return refusal("ECS answered neither a task nor a failure", "try again")
	}
	task.cluster, task.arn = aws.ToString(out.Tasks[0].ClusterArn), aws.ToString(out.Tasks[0].TaskArn)
	task.inECS = aws.ToString(out.Tasks[0].LastStatus)
	return nil
}

func refusal(seen, do string) *Result {
	r := fail(checkCanary, seen, do)
	return &r
}

// follow waits until the task has reached a status, in ECS and then in Blox, and says how much later that was.
func (d *examination) follow(ctx context.Context, task *life, status string) (lag time.Duration, refused *Result) {
	began := d.Now()
	var told time.Time // when ECS said so
	for {
		if err := d.look(ctx, task); err != nil {
			return 0, refusal(err.Error(), "this identity needs ecs:DescribeTasks in the cluster, and to read tasks of Blox")
		}
		now := d.Now()
		if told.IsZero() && reached(task.inECS, status) {
			told = now
		}
		switch {
		case !told.IsZero() && reached(task.inBlox, status):
			return now.Sub(told), nil
		case told.IsZero() && now.Sub(began) > canaryPatience:
			return 0, refusal(fmt.Sprintf("the task is %s in ECS itself after %s, and not %s", task.inECS, roughly(canaryPatience), status),
				"this says nothing about Blox: look at the task's events in ECS, or choose another task definition")
		case !told.IsZero() && now.Sub(told) > d.Canary.Within:
			return 0, refusal(fmt.Sprintf("the task is %s in ECS since %s, but Blox %s", task.inECS, roughly(now.Sub(told)), shows(task.inBlox)),
				"look whether the EventBridge rule is enabled and matches, at the events queue (its age and dead letters), "+
					"and at the ingest function's log; the cluster's account and region must be this installation's or a member's")
		}
		if err := d.Pause(ctx, canaryPoll); err != nil {
			return 0, refusal("the check was interrupted", "")
		}
	}
}

func shows(status string) string {
	if status == "" {
		return "does not know it"
	}
	return "shows it as " + status
}

func reached(status, wanted string) bool { return stages[status] >= stages[wanted] }

// look asks ECS first: then Blox can only be ahead by a pause, never seem late.
func (d *examination) look(ctx context.Context, task *life) error {
	out, err := d.AWS.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &task.cluster, Tasks: []string{task.arn}})
	if err != nil {
		return fmt.Errorf("the task cannot be described: %s", d.Explain(err))
	}
	for _, described := range out.Tasks {
		task.inECS, task.reason = aws.ToString(described.LastStatus), aws.ToString(described.StoppedReason)
	}
	// ECS may not know a task in its first moments, and forgets it an hour after its end: what it said last counts.
	seen, err := d.blox.GetTask(ctx, task.cluster, task.arn)
	switch {
	case isNotFound(err):
	case err != nil:
		return fmt.Errorf("the task cannot be read from Blox: %s", d.Explain(err))
	default:
		task.inBlox = seen.Entity.LastStatus
	}
	return nil
}

// cleanUp stops whatever the canary started and ECS has not stopped. It says what may be left.
func (d *examination) cleanUp(ctx context.Context, task *life) (left string) {
	if task.inECS == "STOPPED" || task.arn == "" && !task.unsure {
		return ""
	}
	if task.arn != "" {
		if _, err := d.AWS.ECS.StopTask(ctx, &ecs.StopTaskInput{Cluster: &task.cluster, Task: &task.arn, Reason: aws.String("blox doctor is done")}); err != nil {
			return "the task " + task.arn + " may be running still: " + d.Explain(err)
		}
		return ""
	}
	out, err := d.AWS.ECS.ListTasks(ctx, &ecs.ListTasksInput{
		Cluster: &task.canary.Cluster, StartedBy: &task.startedBy, DesiredStatus: types.DesiredStatusRunning,
	})
	if err != nil {
		return "whether a task was started all the same is not known: " + d.Explain(err)
	}
	for _, arn := range out.TaskArns {
		if _, err := d.AWS.ECS.StopTask(ctx, &ecs.StopTaskInput{Cluster: &task.canary.Cluster, Task: &arn, Reason: aws.String("blox doctor is done")}); err != nil {
			return "the task " + arn + " may be running still: " + d.Explain(err)
		}
	}
	return ""
}
