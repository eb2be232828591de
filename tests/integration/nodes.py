#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two daemons on one PostgreSQL, both with load, one of them killed or asleep.

Customers say what is to be done (script_turn.c), each message to the other node than the one before and
as soon as that one was acknowledged. Afterwards: nothing acknowledged is lost, no turn was done twice,
answers are in the order of the messages, and on a channel one node sends at a time.
"""

import os
import random
import signal
import sys
import threading
import time

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")
os.environ["B"] = os.path.join(os.environ.get("B", "build"), "tests/scripted")

import house as h
import tap
import webhook
from tap import check, equal, until

NAMES = ["prueba", "gemelo"]  # of node 0 and node 1
UNCERTAIN = "2"  # outbox.state
ALIVE_S = 10  # after which others take a silent node for dead


class Node:
	"""A daemon of its own beside the house's: same store, same channels."""

	def __init__(self, house):
		self.house = house
		self.port = h.free_port()
		self.http = h.Http(self.port)
		self.folder = os.path.join(house.folder, "second")
		os.mkdir(self.folder)
		self.config_path = os.path.join(house.folder, "second.conf")
		with open(house.config_path) as file:
			text = file.read()
		text = text.replace(f"port = {house.port};", f"port = {self.port};")
		text = text.replace(f"{house.folder}/control.sock", f"{self.folder}/control.sock")
		text = text.replace('node = "prueba";', 'node = "gemelo";')
		with open(self.config_path, "w") as file:
			file.write(text)
		self.start()

	def start(self):
		self.process = h.subprocess.Popen(
			[os.path.join(h.B, "proaltod"), "--config", self.config_path], stdin=h.subprocess.DEVNULL,
			stdout=open(self.house.log_path, "ab"), stderr=h.subprocess.STDOUT, cwd=self.folder,
			env=self.house.daemon_environment())
		until(self.is_ready, 20 * h.PATIENCE, "the second node")

	def is_ready(self):
		try:
			return self.http.request("GET", "/readyz")[0] == 200
		except (OSError, h.http.client.HTTPException):
			return False

	def kill(self):
		self.process.kill()
		self.process.wait()

	def stop(self):
		self.process.terminate()
		return self.process.wait(20 * h.PATIENCE)


class Pair:
	"""The house's daemon is node 0, the other one node 1."""

	def __init__(self, house):
		self.house = house
		self.second = Node(house)
		self.nodes = [house, self.second]

	def post(self, number, body):
		"""The answer's status; 0 if nobody is there."""
		data = webhook.dump(body)
		headers = {"Content-Type": "application/json", "X-Hub-Signature-256": webhook.sign(data, h.SECRET)}
		try:
			return self.nodes[number].http.request("POST", "/webhook/whatsapp", data, headers)[0]
		except (OSError, h.http.client.HTTPException):
			return 0

	def deliver(self, number, body, seconds=60):
		"""As a balancer in front does: whom it does not reach it leaves out."""
		end = time.monotonic() + seconds * h.PATIENCE
		while True:
			status = self.post(number, body)
			if status == 200:
				return
			check(status in (0, 503), f"the webhook was answered {status}")
			check(time.monotonic() < end, "the webhook was never acknowledged")
			number = 1 - number
			time.sleep(0.02)

	def says(self, number, person, text):
		self.deliver(number, webhook.of(person, person.text(text, at=self.house.now())))

	def senders(self):
		"""Which living node sends on each channel."""
		return [NAMES.index(row[0]) for row in self.house.rows(
			"SELECT n.name FROM channel c JOIN node n ON n.id = c.owner WHERE n.alive_until > now()")]

	def kill(self, number):
		self.nodes[number].kill()

	def start(self, number):
		self.nodes[number].start()

	def make_sender(self, number):
		"""The node sends on all channels from now on."""
		if self.senders() != [number, number]:
			self.kill(1 - number)
			until(lambda: self.senders() == [number, number], 3 * ALIVE_S * h.PATIENCE, "a take-over")
			self.start(1 - number)


def outbox_of(bubble):
	return int(bubble.entry["callback"].split(".")[0], 16)


class Crowd:
	"""People who write to both nodes, one message behind the other's acknowledgement."""

	def __init__(self, pair, people, rounds, pause=0.0):
		self.pair = pair
		self.rounds = rounds
		self.pause = pause
		self.people = [pair.house.stranger() for _ in range(people)]
		self.problems = []
		self.threads = [threading.Thread(target=self.run, args=(person, number))
				for number, person in enumerate(self.people)]

	def run(self, person, number):
		try:
			for i in range(self.rounds):
				self.pair.says((number + i) % 2, person, f"say {i}")
				time.sleep(random.uniform(0, 2 * self.pause))
		except Exception as error:  # told by the main thread
			self.problems.append(f"{type(error).__name__}: {error}")

	def begin(self):
		for thread in self.threads:
			thread.start()

	def end(self):
		for thread in self.threads:
			thread.join()
		equal(self.problems, [], "problems")

	def check(self, seconds=60, in_order=True):
		"""Each message answered once, in order. A post may be repeated: it has the same outbox id."""
		for person in self.people:
			until(lambda: len({outbox_of(b) for b in person.bubbles()}) >= self.rounds, seconds * h.PATIENCE,
			      "an answer to everything")
		self.pair.house.settle(60)
		for person in self.people:
			firsts = list({outbox_of(b): b for b in reversed(person.bubbles())}.values())[::-1]
			firsts.sort(key=lambda bubble: bubble.n)
			got, wanted = [b.text for b in firsts], [f"{i + 1} {i}" for i in range(self.rounds)]
			if not in_order:  # each number of a turn once, and each message once
				got, wanted = [[sorted(column) for column in zip(*(text.split() for text in texts))]
					       for texts in (got, wanted)]
			equal(got, wanted, "the answers")
			person.seen = person.bubbles()[-1].n


def overlaps(pair):
	return pair.house.graph.stats()["overlaps"]


# ---- the tests --------------------------------------------------------------------------------------

def both_take_messages(pair):
	before = overlaps(pair)
	pair.house.graph.faults(latency_ms=5)
	crowd = Crowd(pair, people=12, rounds=40)
	crowd.begin()
	crowd.end()
	crowd.check()
	pair.house.graph.faults()
	equal(overlaps(pair), before, "messages on their way at once to one person")
	equal(pair.house.sql("SELECT count(*) FROM work"), "0", "work left")
	equal(pair.house.sql("SELECT sum(strays) FROM conversation"), "0", "conversations that are still served from"
	      " the store")


def the_other_node_is_quick(pair):
	"""A message that came in at the wrong node is answered as if nothing were."""
	waits = []
	for i in range(10):
		person = pair.house.stranger()
		for number in (0, 1):
			start = time.monotonic()
			pair.says(number, person, "say a")
			person.hears()
			waits.append(time.monotonic() - start)
	tap.say("answers after " + ", ".join(f"{wait * 1000:.0f}" for wait in sorted(waits)) + " ms")
	check(sorted(waits)[len(waits) // 2] < 0.25 * h.PATIENCE, f"half of the answers take longer than {waits}")
	check(max(waits) < 1.5 * h.PATIENCE, f"an answer took {max(waits):.2f} s")


def a_receipt_at_the_other_node(pair):
	"""The statuses come in at node 0 and node 1 sends: what was uncertain is not sent again."""
	pair.make_sender(1)
	person = pair.house.stranger()
	pair.house.graph.faults({"kind": "drop_after", "count": 1})
	pair.says(1, person, "say a;say b")
	equal([person.hears(15).text, person.hears(15).text], ["1 a", "2 b"], "the answers")
	pair.house.settle()
	time.sleep(1.5)
	equal([str(b) for b in person.bubbles()], [], "what was sent again")


def kill_under_load(pair, number):
	crowd = Crowd(pair, people=12, rounds=60, pause=0.15)
	crowd.begin()
	time.sleep(3)
	pair.kill(number)
	time.sleep(4)
	if number == 0:
		pair.house.launch()
		time.sleep(1)
	crowd.end()
	if number == 1:
		time.sleep(ALIVE_S)
		pair.start(1)
	crowd.check(90)
	pair.house.wait_ready()


def the_sender_is_killed_and_stays_away(pair):
	pair.make_sender(1)
	kill_under_load(pair, 1)
	equal(pair.senders(), [0, 0], "who sends afterwards")


def the_sender_is_killed_and_comes_back(pair):
	pair.make_sender(0)
	kill_under_load(pair, 0)


def the_other_is_killed(pair):
	pair.make_sender(0)
	kill_under_load(pair, 1)
	equal(pair.senders(), [0, 0], "who sends afterwards")


def a_node_ends(pair):
	"""A clean stop under load: what the node had is free when it has ended, and not ten seconds later."""
	pair.make_sender(0)
	crowd = Crowd(pair, people=12, rounds=30, pause=0.1)
	crowd.begin()
	time.sleep(1.5)
	equal(pair.house.stop(), 0, "the exit status")
	equal(pair.house.rows("SELECT name FROM node WHERE alive_until > now()"), [[NAMES[1]]], "who has leases")
	crowd.end()
	equal(pair.senders(), [1, 1], "who sends afterwards")
	pair.house.start()
	crowd.check()


def a_node_sleeps(pair):
	"""Taken for dead and not dead: it must not go on where it stopped."""
	pair.make_sender(0)
	process = pair.house.process
	crowd = Crowd(pair, people=8, rounds=40, pause=0.2)
	before = overlaps(pair)
	for node in pair.nodes:
		node.http.timeout = 2
	crowd.begin()
	time.sleep(2)
	process.send_signal(signal.SIGSTOP)
	time.sleep(ALIVE_S + 4)
	equal(pair.senders(), [1, 1], "who sends while the other sleeps")
	process.send_signal(signal.SIGCONT)
	crowd.end()
	for node in pair.nodes:
		node.http.timeout = 30
	crowd.check(90)
	equal(overlaps(pair), before, "messages on their way at once to one person")


def postgres_crashes_under_two(pair):
	crowd = Crowd(pair, people=10, rounds=30, pause=0.05)
	crowd.begin()
	for _ in range(2):
		time.sleep(0.8)
		pair.house.server.crash()
	crowd.end()
	crowd.check(90)


def drained_under_load(pair):
	"""A node ends what it has and is empty, the other does everything; and it comes back."""
	pair.make_sender(0)
	before = overlaps(pair)
	crowd = Crowd(pair, people=12, rounds=70, pause=0.1)
	crowd.begin()
	time.sleep(2)
	pair.house.ctl("drain", "--reason", "mantenimiento", "--wait", "60")
	equal(pair.house.ask("drain-status")["state"], "drained", "the state")
	check(not pair.house.is_answering("/readyz") and pair.house.is_answering("/healthz"), "it says that it is ready")
	until(lambda: pair.senders() == [1, 1], 10 * h.PATIENCE, "a take-over")
	equal(pair.house.sql(f"SELECT count(*) FROM node WHERE name = '{NAMES[0]}' AND alive_until > now()"), "0", "its leases")
	time.sleep(1)
	pair.house.ctl("undrain", "--reason", "mantenimiento")
	check(pair.house.is_answering("/readyz"), "it is not ready again")
	crowd.end()
	crowd.check(90)
	equal(overlaps(pair), before, "messages on their way at once to one person")
	equal(pair.house.sql("SELECT count(*) FROM node WHERE alive_until > now()"), "2", "nodes that live")


def drained_and_idle(pair):
	"""What others leave in the store is not taken up by it, and everything it had is theirs."""
	person = pair.house.stranger()
	pair.says(0, person, "say a")
	equal(person.hears().text, "1 a", "the answer")
	pair.house.ctl("drain", "--reason", "mantenimiento")
	equal(pair.house.ask("status")["state"], "drained", "the state in status")
	check(pair.house.ctl("status").startswith(("VACIADO", "DRAINED")), "status does not begin with it")
	equal(pair.post(0, webhook.of(person, person.text("say b"))), 503, "what a drained node answers a webhook")
	pair.says(1, person, "say b")
	equal(person.hears(15).text, "2 b", "the answer by the other")
	pair.house.ctl("undrain", "--reason", "mantenimiento")
	pair.says(0, person, "say c")
	equal(person.hears(15).text, "3 c", "the answer")
	for pause in (0, 0.7, 1.3, 2.5):  # whatever it was just about to do
		check(pair.house.ask("drain", reason="duda")["ok"], "it is not drained")
		time.sleep(pause)
		check(pair.house.ask("undrain", reason="duda")["ok"], "it does not serve again")
	until(lambda: pair.house.ask("drain-status")["state"] == "serving" and pair.house.is_answering("/readyz"), 10 * h.PATIENCE,
	      "a node that serves again")
	pair.says(0, person, "say d")
	equal(person.hears(15).text, "4 d", "the answer")


def drained_with_a_code_in_line(pair):
	"""A code waits for its time at a node that is drained; the other one tries it and dies of it, and
	nobody knows what became of that. The first one must not send it from memory."""
	house = pair.house
	pair.make_sender(0)
	person = house.stranger()
	before = len(house.all_sms())
	house.smsgw.faults({"kind": "error", "http": 401, "count": 1}, {"kind": "hang", "count": 1})
	pair.says(0, person, "secret 573109998877")
	until(lambda: any(c["paused_ms"] for c in house.ask("status")["channels"]), 10 * h.PATIENCE, "a channel that waits")
	house.ctl("drain", "--reason", "mantenimiento")
	until(lambda: house.sql("SELECT max(tries) FROM outbox WHERE is_secret AND is_open") == "2", 10 * h.PATIENCE,
	      "an attempt by the other")
	pair.kill(1)
	house.ctl("undrain", "--reason", "mantenimiento")
	house.settle(60)
	pair.start(1)
	equal(len(house.all_sms()) - before, 0, "codes that went a second time")
	equal(house.sql("SELECT state FROM outbox WHERE is_secret ORDER BY at DESC LIMIT 1"), UNCERTAIN, "the code's state")


def drained_with_a_turn_that_lasts(pair):
	"""It is left behind, and the other node does it."""
	house = pair.house
	pair.make_sender(0)
	person = house.stranger()
	pair.says(0, person, "sleep 38000;say a")
	until(lambda: house.ask("drain-status")["conversations"], 10 * h.PATIENCE, "a turn")
	house.ctl("drain", "--reason", "mantenimiento", "--wait", "45")
	check("this node leaves it behind" in house.log(), "nothing in the journal")
	house.ctl("undrain", "--reason", "mantenimiento")
	equal(person.hears(90).text, "1 a", "the answer")
	house.settle(60)
	equal([str(b) for b in person.bubbles()], [], "what was done twice")


def paused_for_a_moment(pair):
	"""A channel is in pause and again not, before its node has noticed: the order stays."""
	house = pair.house
	pair.make_sender(0)
	for _ in range(3):
		person = house.stranger()
		house.graph.faults(latency_ms=300)
		pair.says(0, person, "say a;say b;say c")
		until(lambda: house.sql("SELECT count(*) FROM outbox WHERE is_open AND state = 1") == "1", 5 * h.PATIENCE,
		      "a message under way")
		house.rows("UPDATE channel SET owner = NULL")
		time.sleep(0.4)
		pair.says(0, person, "say d")
		equal([person.hears(15).text for _ in range(4)], ["1 a", "2 b", "3 c", "4 d"], "the order")
		house.settle()
	house.graph.faults()


TESTS = [
	("a drained node has no part in anything", drained_and_idle),
	("a pause that nobody noticed", paused_for_a_moment),
	("both nodes take one customer's messages", both_take_messages),
	("a message at the wrong node is answered at once", the_other_node_is_quick),
	("PostgreSQL crashes under two nodes", postgres_crashes_under_two),
	("a receipt at the other node settles", a_receipt_at_the_other_node),
	("the node that sends is killed and stays away", the_sender_is_killed_and_stays_away),
	("the node that sends is killed and comes back", the_sender_is_killed_and_comes_back),
	("the other node is killed", the_other_is_killed),
	("a node that ends gives up what it had", a_node_ends),
	("a node sleeps and wakes", a_node_sleeps),
]


# Run by name only: make drills.
DRILLS = [
	("a node is drained under load and comes back", drained_under_load),
	("a node is drained with a code in line, which goes once", drained_with_a_code_in_line),
	("a node is drained with a turn that lasts", drained_with_a_turn_that_lasts),
]


def main():
	chosen = [(name, test) for name, test in TESTS + DRILLS if test.__name__ in sys.argv[1:]] or TESTS
	with h.House(settings={"sms": {"uncertain_wait": '"1 s"'}}) as house:
		pair = Pair(house)
		status = 1 if tap.run(chosen, pair) else 0
		if status:
			tap.say(house.log_tail(60))
		if pair.second.stop() != 0:
			status = 1
	return status


if __name__ == "__main__":
	sys.exit(main())
