#!/usr/bin/env python3
"""Drives the ECS simulator with boto3 and the AWS CLI: check.py ENDPOINT

botocore validates every request against AWS's own model of ECS; here every answer is held against that model too: no
member it does not know, no member of the wrong kind. Exits 0 if all is as expected, 1 at the first mismatch, 3 if boto3
or the AWS CLI is not on this machine.
"""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError, ParamValidationError
except ImportError:
    print("check.py: boto3 is not installed (pip install boto3), so the ECS simulator was not checked with it.", file=sys.stderr)
    sys.exit(3)

if shutil.which("aws") is None:
    print("check.py: the AWS CLI (aws) is not on the PATH, so the ECS simulator was not checked with it.", file=sys.stderr)
    sys.exit(3)

if len(sys.argv) != 2 or not sys.argv[1].startswith("http"):
    print("usage: check.py ENDPOINT, for example check.py http://127.0.0.1:8081", file=sys.stderr)
    sys.exit(2)

ENDPOINT = sys.argv[1]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
os.environ.update(CREDENTIALS)
ecs = boto3.client("ecs", endpoint_url=ENDPOINT, config=Config(retries={"total_max_attempts": 1}))

KINDS = {
    "string": str, "integer": int, "long": int, "boolean": bool, "double": (int, float), "float": (int, float),
    "timestamp": (int, float),  # epoch seconds, in JSON 1.1
}
calls = {}


def against_model(value, shape, path):
    """Fails if an answer's JSON has a member the model does not know, or a value of another kind."""
    if shape.type_name == "structure":
        assert isinstance(value, dict), f"{path} is {value!r}, expected a structure"
        for name, member in value.items():
            assert name in shape.members, f"{path}.{name} is not in AWS's model"
            against_model(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        assert isinstance(value, list), f"{path} is {value!r}, expected a list"
        for i, item in enumerate(value):
            against_model(item, shape.member, f"{path}[{i}]")
    elif shape.type_name == "map":
        assert isinstance(value, dict), f"{path} is {value!r}, expected a map"
        for key, item in value.items():
            against_model(item, shape.value, f"{path}.{key}")
    else:
        kind = KINDS[shape.type_name]
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        assert right, f"{path} is {value!r}, expected {shape.type_name}"
        enum = getattr(shape, "enum", None)
        assert not enum or value in enum, f"{path} is {value!r}, expected one of {enum}"


def check_answer(http_response, parsed, model, **_):
    """Looks at the body itself: botocore drops what it does not know and turns one kind into another."""
    if parsed.get("Error") or model.output_shape is None:
        return
    against_model(json.loads(http_response.content), model.output_shape, model.name)
    calls[model.name] = calls.get(model.name, 0) + 1


ecs.meta.events.register("after-call.ecs", check_answer)


def call(action, **parameters):
    return getattr(ecs, action)(**parameters)


def refused(code, action, says="", **parameters):
    try:
        getattr(ecs, action)(**parameters)
    except ClientError as error:
        got = error.response["Error"]
        assert got["Code"] == code and says in got["Message"], f"{action}: {got}, expected {code} {says!r}"
        return error
    raise AssertionError(f"{action} was not refused, expected {code}")


def eventually(what, condition, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def equal(got, expected, what):
    assert got == expected, f"{what}: {got!r}, expected {expected!r}"


def cli(*arguments, fails=None):
    result = subprocess.run(["aws", "ecs", *arguments, "--endpoint-url", ENDPOINT, "--output", "json"],
                            capture_output=True, text=True, timeout=60, check=False)
    if fails:
        assert result.returncode != 0 and fails in result.stderr, f"aws ecs {arguments}: {result.stderr}"
        return None
    assert result.returncode == 0, f"aws ecs {' '.join(arguments)}: {result.stderr}"
    return json.loads(result.stdout) if result.stdout.strip() else None


CLUSTER = "boto"


def task(arn):
    return call("describe_tasks", cluster=CLUSTER, tasks=[arn], include=["TAGS"])["tasks"][0]


def clusters():
    equal(call("create_cluster", clusterName=CLUSTER, tags=[{"key": "a", "value": "b"}])["cluster"]["status"], "ACTIVE", "cluster")
    assert any(arn.endswith("/" + CLUSTER) for arn in call("list_clusters")["clusterArns"])
    described = call("describe_clusters", clusters=[CLUSTER, "none"], include=["TAGS", "SETTINGS"])
    equal(described["clusters"][0]["tags"], [{"key": "a", "value": "b"}], "cluster tags")
    equal(described["failures"][0]["reason"], "MISSING", "unknown cluster")
    refused("ClusterNotFoundException", "list_tasks", cluster="none")


def definitions():
    registered = call("register_task_definition", family="web", tags=[{"key": "k", "value": "v"}], containerDefinitions=[{
        "name": "main", "image": "web:1", "cpu": 64, "memory": 128, "portMappings": [{"containerPort": 80, "hostPort": 8080}],
        "environment": [{"name": "A", "value": "1"}], "healthCheck": {"command": ["CMD", "true"]}}])["taskDefinition"]
    equal(registered["revision"], 1, "revision")
    call("register_task_definition", family="small", containerDefinitions=[{"name": "main", "image": "small:1", "memory": 16}])
    call("register_task_definition", family="old", containerDefinitions=[{"name": "main", "image": "old:1", "memory": 16}])
    equal(call("deregister_task_definition", taskDefinition="old:1")["taskDefinition"]["status"], "INACTIVE", "deregistered")
    described = call("describe_task_definition", taskDefinition="web", include=["TAGS"])
    equal(described["taskDefinition"]["containerDefinitions"][0]["environment"], [{"name": "A", "value": "1"}], "environment")
    equal(described["tags"], [{"key": "k", "value": "v"}], "definition tags")
    equal(len(call("list_task_definitions", status="INACTIVE", sort="DESC")["taskDefinitionArns"]), 1, "inactive definitions")
    equal(call("list_task_definition_families")["families"], ["old", "small", "web"], "families")
    refused("ClientException", "register_task_definition", "memory", family="bad", containerDefinitions=[{"name": "m", "image": "i"}])


def hosts():
    arns = []
    for zone in "abc":
        arns.append(call("register_container_instance", cluster=CLUSTER, attributes=[{"name": "zone", "value": zone}], totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 1024}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 512},
            {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]}], versionInfo={"agentVersion": "1.103.0"},
            tags=[{"key": "zone", "value": zone}])["containerInstance"]["containerInstanceArn"])
    eventually("agents connected", lambda: len(call("list_container_instances", cluster=CLUSTER, filter="agentConnected == true")["containerInstanceArns"]) == 3)
    described = call("describe_container_instances", cluster=CLUSTER, containerInstances=arns + ["0" * 32], include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])
    equal([h["containerInstanceArn"] for h in described["containerInstances"]], arns, "described hosts")
    equal(described["failures"][0]["reason"], "MISSING", "unknown host")
    host = described["containerInstances"][0]
    assert re.fullmatch("i-[0-9a-f]{17}", host["ec2InstanceId"]), host["ec2InstanceId"]
    equal([r["integerValue"] for r in host["remainingResources"][:2]], [1024, 512], "resources")
    equal(host["tags"], [{"key": "zone", "value": "a"}], "host tags")
    page = call("list_container_instances", cluster=CLUSTER, maxResults=2)
    rest = call("list_container_instances", cluster=CLUSTER, maxResults=2, nextToken=page["nextToken"])
    equal(page["containerInstanceArns"] + rest["containerInstanceArns"], arns, "pages of hosts")
    call("put_attributes", cluster=CLUSTER, attributes=[{"name": "ring", "value": "canary", "targetType": "container-instance", "targetId": arns[0]}])
    listed = call("list_attributes", cluster=CLUSTER, targetType="container-instance", attributeName="ring")["attributes"]
    equal(listed, [{"name": "ring", "value": "canary", "targetType": "container-instance", "targetId": arns[0]}], "attributes")
    equal(call("list_container_instances", cluster=CLUSTER, filter="attribute:ring exists and attribute:zone in [a, b]")["containerInstanceArns"], arns[:1], "filter")
    call("delete_attributes", cluster=CLUSTER, attributes=[{"name": "ring", "targetId": arns[0]}])
    equal(call("list_attributes", cluster=CLUSTER, targetType="container-instance", attributeName="ring")["attributes"], [], "attributes")
    refused("TargetNotFoundException", "put_attributes", cluster=CLUSTER, attributes=[{"name": "x", "targetId": "none"}])
    refused("InvalidParameterException", "list_container_instances", "line 1 column 1", cluster=CLUSTER, filter="zone == a")
    return arns


def tasks(hosts_):
    request = {"cluster": CLUSTER, "taskDefinition": "web", "group": "g", "startedBy": "ds/1", "clientToken": "one", "enableExecuteCommand": True,
               "launchType": "EC2", "tags": [{"key": "t", "value": "1"}],
               "placementConstraints": [{"type": "distinctInstance"}, {"type": "memberOf", "expression": "attribute:zone == a"}],
               "overrides": {"containerOverrides": [{"name": "main", "environment": [{"name": "B", "value": "2"}]}]}}
    first = call("run_task", **request)["tasks"][0]
    equal(first["containerInstanceArn"], hosts_[0], "placement")
    equal(first["overrides"]["containerOverrides"][0]["environment"], [{"name": "B", "value": "2"}], "override")
    equal(call("run_task", **request)["tasks"][0]["taskArn"], first["taskArn"], "the same token")
    conflict = refused("ConflictException", "run_task", **{**request, "startedBy": "ds/2"})
    equal(conflict.response.get("resourceIds"), [first["taskArn"]], "resourceIds of the conflict")
    failures = call("run_task", **{**request, "clientToken": "two"})["failures"]
    equal(failures[0], {"arn": hosts_[0], "reason": "DistinctInstance placement constraint unsatisfied."}, "distinctInstance")
    equal({f["reason"] for f in failures[1:]}, {"MemberOf placement constraint unsatisfied."}, "memberOf")
    failures = call("run_task", cluster=CLUSTER, taskDefinition="web", placementConstraints=request["placementConstraints"][1:])["failures"]
    equal(failures[0]["reason"], "RESOURCE:PORTS", "ports")
    ecs.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=[first["taskArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 15})
    eventually("task healthy", lambda: task(first["taskArn"])["healthStatus"] == "HEALTHY")
    now = task(first["taskArn"])
    equal(now["containers"][0]["networkBindings"], [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 8080, "protocol": "tcp"}], "bindings")
    equal(now["tags"], [{"key": "t", "value": "1"}], "task tags")
    age = abs((datetime.datetime.now(datetime.timezone.utc) - now["startedAt"]).total_seconds())
    assert age < 60, f"startedAt is {age} s away from now"
    for filters in ({"family": "web"}, {"startedBy": "ds/1"}, {"containerInstance": hosts_[0]}, {"desiredStatus": "RUNNING", "launchType": "EC2"}):
        equal(call("list_tasks", cluster=CLUSTER, **filters)["taskArns"], [first["taskArn"]], f"tasks by {filters}")
    refused("InvalidParameterException", "list_tasks", "only filter", cluster=CLUSTER, startedBy="x", family="web")

    stopped = call("stop_task", cluster=CLUSTER, task=first["taskArn"], reason="enough")["task"]
    equal(stopped["desiredStatus"], "STOPPED", "desired status")
    ecs.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=[first["taskArn"]], WaiterConfig={"Delay": 1, "MaxAttempts": 15})
    end = task(first["taskArn"])
    equal((end["stopCode"], end["stoppedReason"], end["containers"][0]["exitCode"]), ("UserInitiated", "enough", 0), "end")
    equal(call("list_tasks", cluster=CLUSTER)["taskArns"], [], "no task is running")
    equal(call("list_tasks", cluster=CLUSTER, desiredStatus="STOPPED")["taskArns"], [first["taskArn"]], "stopped tasks")
    equal(call("run_task", **request)["tasks"][0]["lastStatus"], "STOPPED", "the token's task is the old one")

    started = call("start_task", cluster=CLUSTER, taskDefinition="small", containerInstances=hosts_ + ["f" * 32], startedBy="me")
    equal((len(started["tasks"]), [f["reason"] for f in started["failures"]]), (3, ["MISSING"]), "StartTask")
    ten = call("run_task", cluster=CLUSTER, taskDefinition="small", count=10, placementStrategy=[{"type": "spread", "field": "instanceId"}])
    equal(len(ten["tasks"]), 10, "count")
    everything = []
    for page in ecs.get_paginator("list_tasks").paginate(cluster=CLUSTER, PaginationConfig={"PageSize": 4}):
        everything += page["taskArns"]
    equal(len(set(everything)), 13, "pages of tasks")
    refused("InvalidParameterException", "run_task", "between 1 and 10", cluster=CLUSTER, taskDefinition="small", count=11)
    refused("InvalidParameterException", "describe_tasks", "at most 100", cluster=CLUSTER, tasks=["x"] * 101)
    refused("ClientException", "run_task", "inactive", cluster=CLUSTER, taskDefinition="old:1")
    refused("InvalidParameterException", "stop_task", "not found", cluster=CLUSTER, task="none")
    try:
        ecs.run_task(cluster=CLUSTER)
        raise AssertionError("botocore did not validate the request")
    except ParamValidationError:
        pass
    for arn in everything:
        call("stop_task", cluster=CLUSTER, task=arn)
    eventually("all tasks stopped", lambda: call("describe_clusters", clusters=[CLUSTER])["clusters"][0]["runningTasksCount"] == 0)


def tags(host):
    call("tag_resource", resourceArn=host, tags=[{"key": "n", "value": "1"}])
    assert {"key": "n", "value": "1"} in call("list_tags_for_resource", resourceArn=host)["tags"]
    call("untag_resource", resourceArn=host, tagKeys=["n"])
    assert {"key": "n", "value": "1"} not in call("list_tags_for_resource", resourceArn=host)["tags"]


def services(hosts_):
    created = call("create_service", cluster=CLUSTER, serviceName="shop", taskDefinition="small", desiredCount=3, launchType="EC2",
                   placementStrategy=[{"type": "spread", "field": "attribute:zone"}])["service"]
    equal(created["deployments"][0]["status"], "PRIMARY", "deployment")
    shop = lambda: call("describe_services", cluster=CLUSTER, services=["shop"], include=["TAGS"])["services"][0]  # noqa: E731
    eventually("service runs", lambda: shop()["runningCount"] == 3)
    ecs.get_waiter("services_stable").wait(cluster=CLUSTER, services=["shop"], WaiterConfig={"Delay": 1, "MaxAttempts": 15})
    equal(call("list_services", cluster=CLUSTER)["serviceArns"], [created["serviceArn"]], "services")
    victim = call("list_tasks", cluster=CLUSTER, serviceName="shop")["taskArns"][0]
    call("stop_task", cluster=CLUSTER, task=victim)
    eventually("a stopped task comes back", lambda: shop()["runningCount"] == 3 and victim not in call("list_tasks", cluster=CLUSTER, serviceName="shop")["taskArns"])
    updated = call("update_container_instances_state", cluster=CLUSTER, containerInstances=[hosts_[0]], status="DRAINING")
    equal(updated["containerInstances"][0]["status"], "DRAINING", "draining")
    count = lambda: call("describe_container_instances", cluster=CLUSTER, containerInstances=[hosts_[0]])["containerInstances"][0]["runningTasksCount"]  # noqa: E731
    eventually("drained", lambda: count() == 0)
    eventually("service runs elsewhere", lambda: shop()["runningCount"] == 3)
    call("update_service", cluster=CLUSTER, service="shop", desiredCount=1)
    eventually("scaled", lambda: shop()["runningCount"] == 1)
    refused("InvalidParameterException", "delete_service", "scaled above 0", cluster=CLUSTER, service="shop")
    call("delete_service", cluster=CLUSTER, service="shop", force=True)
    eventually("deleted", lambda: shop()["status"] == "INACTIVE")


def daemon_service(hosts_):
    created = call("create_service", cluster=CLUSTER, serviceName="agent", taskDefinition="small", schedulingStrategy="DAEMON",
                   placementConstraints=[{"type": "memberOf", "expression": "not(attribute:blox.handover exists)"}])["service"]
    equal(created["schedulingStrategy"], "DAEMON", "strategy")
    equal(call("list_services", cluster=CLUSTER, schedulingStrategy="DAEMON")["serviceArns"], [created["serviceArn"]], "services by strategy")
    tasks_ = lambda: call("list_tasks", cluster=CLUSTER, serviceName="agent")["taskArns"]  # noqa: E731
    hosts_of = lambda: {task(arn)["containerInstanceArn"] for arn in tasks_()}  # noqa: E731
    eventually("a task on each ACTIVE host", lambda: hosts_of() == set(hosts_[1:]))
    handed_over = {"name": "blox.handover", "value": "agent", "targetType": "container-instance", "targetId": hosts_[1]}
    call("put_attributes", cluster=CLUSTER, attributes=[handed_over])
    eventually("a host that is handed over", lambda: hosts_of() == set(hosts_[2:]))
    for i in range(9):
        call("put_attributes", cluster=CLUSTER, attributes=[{**handed_over, "name": f"n{i}"}] if i < 8 else [{**handed_over, "value": "again"}])
    refused("AttributeLimitExceededException", "put_attributes", cluster=CLUSTER, attributes=[{**handed_over, "name": "eleventh"}])
    call("update_service", cluster=CLUSTER, service="agent", placementConstraints=[])
    eventually("without the constraint", lambda: hosts_of() == set(hosts_[1:]))
    refused("InvalidParameterException", "update_service", "desired count", cluster=CLUSTER, service="agent", desiredCount=1)
    call("delete_service", cluster=CLUSTER, service="agent")
    eventually("the daemon service is gone", lambda: not tasks_() and not call("list_services", cluster=CLUSTER)["serviceArns"])


def command_line(hosts_):
    equal(cli("list-container-instances", "--cluster", CLUSTER)["containerInstanceArns"], hosts_, "CLI: hosts")
    added = cli("register-container-instance", "--cluster", CLUSTER, "--attributes", "name=zone,value=z",
                "--total-resources", "name=CPU,type=INTEGER,integerValue=512", "name=MEMORY,type=INTEGER,integerValue=256")
    host = added["containerInstance"]["containerInstanceArn"]
    eventually("CLI: host connected", lambda: cli("list-container-instances", "--cluster", CLUSTER, "--filter", "attribute:zone == z and agentConnected == true")["containerInstanceArns"] == [host])
    ran = cli("run-task", "--cluster", CLUSTER, "--task-definition", "small", "--placement-constraints", "type=memberOf,expression=attribute:zone == z")
    arn = ran["tasks"][0]["taskArn"]
    equal(ran["tasks"][0]["containerInstanceArn"], host, "CLI: placement")
    eventually("CLI: task runs", lambda: cli("describe-tasks", "--cluster", CLUSTER, "--tasks", arn)["tasks"][0]["lastStatus"] == "RUNNING")
    equal(cli("list-tasks", "--cluster", CLUSTER, "--container-instance", host)["taskArns"], [arn], "CLI: tasks")
    cli("deregister-container-instance", "--cluster", CLUSTER, "--container-instance", host, fails="Found running tasks")
    equal(cli("stop-task", "--cluster", CLUSTER, "--task", arn)["task"]["desiredStatus"], "STOPPED", "CLI: stop")
    cli("update-container-instances-state", "--cluster", CLUSTER, "--container-instances", host, "--status", "DRAINING")
    cli("deregister-container-instance", "--cluster", CLUSTER, "--container-instance", host, "--force")
    cli("describe-tasks", "--cluster", "none", "--tasks", arn, fails="ClusterNotFoundException")
    cli("register-task-definition", "--family", "cli", "--container-definitions", '[{"name":"m","image":"i","memory":16}]')
    equal(cli("list-task-definitions", "--family-prefix", "cli")["taskDefinitionArns"][0][-5:], "cli:1", "CLI: definitions")
    cli("list-account-settings", fails="is not simulated")


def the_end(hosts_):
    refused("ClusterContainsContainerInstancesException", "delete_cluster", cluster=CLUSTER)
    for host in hosts_:
        gone = call("deregister_container_instance", cluster=CLUSTER, containerInstance=host, force=True)["containerInstance"]
        equal(gone["status"], "INACTIVE", "deregistered host")
    equal(call("list_container_instances", cluster=CLUSTER)["containerInstanceArns"], [], "no host is listed")
    equal(call("describe_container_instances", cluster=CLUSTER, containerInstances=hosts_[:1])["containerInstances"][0]["status"], "INACTIVE", "described for a while")
    equal(call("delete_cluster", cluster=CLUSTER)["cluster"]["status"], "INACTIVE", "deleted cluster")


def main():
    clusters()
    definitions()
    arns = hosts()
    tasks(arns)
    tags(arns[0])
    services(arns)
    daemon_service(arns)
    command_line(arns)
    the_end(arns)
    print(f"ok: {sum(calls.values())} calls of {len(calls)} actions with boto3 {boto3.__version__}, and the AWS CLI, agree with AWS's model")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as mismatch:
        where = traceback.extract_tb(mismatch.__traceback__)
        lines = ", ".join(str(frame.lineno) for frame in where if frame.filename == __file__)
        print(f"check.py: mismatch: {mismatch} (lines {lines})", file=sys.stderr)
        sys.exit(1)
