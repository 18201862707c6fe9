#!/usr/bin/env python3
"""Starts moto's server for the emulated deployment, with some of its habits corrected.

    test/emulator/moto_server.py -H 127.0.0.1 -p 5000

moto 5.2.1, left alone,
  - runs functions itself when a queue or a stream has an event source mapping, which wants Docker, takes messages
    away from whoever else polls, and fails at binary attributes of a stream's records;
  - puts two records into a stream when UpdateItem makes an item, the first with nothing but the key, and a record
    where nothing was changed (DynamoDB puts one, and none);
  - lets two calls at the same time both pass a condition, and loses writes made during another's transaction;
  - delivers events without the account that they are from;
  - knows no move of a queue's messages (StartMessageMoveTask and its like);
  - leaves REST APIs and managed policies behind when their stack is deleted;
  - answers some calls in half a second because of Nagle's algorithm.
"""
import base64
import functools
import json
import sys
import threading
import uuid

from moto.apigateway.models import RestAPI, apigateway_backends
from moto.core.responses import ActionResult
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamShard, Table
from moto.events.utils import EventTemplateParser
from moto.iam.models import ManagedPolicy, iam_backends
from moto.server import main
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse
from werkzeug.serving import WSGIRequestHandler

for source in (Table, Queue):
    source.lambda_event_source_mappings = property(lambda self: {}, lambda self, value: None)

add = StreamShard.add


def add_changes_only(self, old, new):
    keys = {self.table.hash_key_attr, self.table.range_key_attr}
    if old is None and new is not None and set(new.attrs) <= keys:
        return
    if old is not None and new is not None and old.to_json() == new.to_json():
        return
    add(self, old, new)


StreamShard.add = add_changes_only

EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE = EventTemplateParser.DEFAULT_EVENT_INPUT_TEMPLATE.replace(
    '"region":', '"account": "<account>", "region":'
)

RestAPI.delete = lambda self, account, region: apigateway_backends[account][region].delete_rest_api(self.id)
ManagedPolicy.delete = lambda self, account, region: iam_backends[account]["aws"].delete_policy(self.arn)

lock = threading.RLock()


def one_at_a_time(method):
    @functools.wraps(method)
    def locked(*args, **kwargs):
        with lock:
            return method(*args, **kwargs)

    return locked


for name in ("put_item", "update_item", "delete_item", "transact_write_items", "query", "scan", "get_item"):
    setattr(DynamoDBBackend, name, one_at_a_time(getattr(DynamoDBBackend, name)))

moves = {}  # by the queue that is moved from; AWS also has one at a time
asked = []  # the handles of moves that somebody asked about


def queue_of(self, arn):
    return self.sqs_backend.get_queue(arn.split(":")[-1])


def start_message_move_task(self):
    source, destination = self._get_param("SourceArn"), self._get_param("DestinationArn")
    queue_of(self, source), queue_of(self, destination)  # or they do not exist
    task = {"taskId": str(uuid.uuid4()), "sourceArn": source}
    handle = base64.b64encode(json.dumps(task).encode()).decode()
    moves[source] = {"Status": "RUNNING", "TaskHandle": handle, "SourceArn": source, "DestinationArn": destination,
                     "ApproximateNumberOfMessagesMoved": 0}
    return ActionResult({"TaskHandle": handle})


def list_message_move_tasks(self):
    """Tells how far the newest move is: it has done nothing when asked for the first time, and is done by the next."""
    source = self._get_param("SourceArn")
    task = moves.get(source)
    if not task:
        return ActionResult({"Results": []})
    asked.append(task["TaskHandle"])
    if task["Status"] == "RUNNING" and asked.count(task["TaskHandle"]) > 1:
        origin, goal = queue_of(self, source), queue_of(self, task["DestinationArn"])
        for message in list(origin.messages):
            origin._messages.remove(message)
            goal.add_message(message)
            task["ApproximateNumberOfMessagesMoved"] += 1
        task["Status"] = "COMPLETED"
    return ActionResult({"Results": [dict(task)]})


def cancel_message_move_task(self):
    source = json.loads(base64.b64decode(self._get_param("TaskHandle")))["sourceArn"]
    moves[source]["Status"] = "CANCELLED"
    return ActionResult({"ApproximateNumberOfMessagesMoved": moves[source]["ApproximateNumberOfMessagesMoved"]})


for action in (start_message_move_task, list_message_move_tasks, cancel_message_move_task):
    setattr(SQSResponse, action.__name__, action)

WSGIRequestHandler.disable_nagle_algorithm = True

if __name__ == "__main__":
    main(sys.argv[1:])
