#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon reads before it serves: a file that is good or bad, a demonstration that is none,
a plugin that can't be used, and flows that change while people are in them."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
from tap import check, equal, until

ENGLISH = {"LC_ALL": "C"}  # what is said to an operator follows his language
GOOD, WRONG, REFUSED = 0, 2, 78  # exit statuses; the last one is a start's (EX_CONFIG)
BROKEN_FLOW = ("flows/saldo.conf", 'sigue = "creditos"', 'sigue = "a_ninguna_parte"')


class OwnFlows(h.House):
	"""A house with flows and texts of its own."""

	def __init__(self, **more):
		super().__init__(customers=20, environment=ENGLISH, start=False, **more)
		for name in ("flows", "texts"):
			shutil.copytree(os.path.join(h.TOP, "etc", name), os.path.join(self.folder, name))
		self.settings["flows"] = {"directory": f'"{self.folder}/flows"', "texts": f'"{self.folder}/texts"'}
		self.write_config()
		self.start()

	@contextlib.contextmanager
	def changed(self, path, old, new):
		"""Meanwhile a file of the house has new words; gives their line."""
		path = pathlib.Path(self.folder, path)
		text = path.read_text()
		equal(text.count(old), 1, f"places in {path} with {old!r}")
		path.write_text(text.replace(old, new))
		try:
			yield text[:text.index(old)].count("\n") + 1
		finally:
			path.write_text(text)

	@contextlib.contextmanager
	def stopped(self, channels=""):
		"""No daemon runs meanwhile, and the configuration has these besides."""
		self.stop()
		self.configured(channels)
		try:
			yield
		finally:
			self.configured("")
			self.start()

	def configured(self, channels):
		self.extra_channels = channels
		self.write_config()


def refusal(house):
	"""Launches a daemon that must not start; its exit status and what it says."""
	before = len(house.log())
	house.launch()
	status = house.process.wait(20 * h.PATIENCE)
	return status, house.log()[before:]


# ---- proaltod --check ------------------------------------------------------------------------------

def look(house):
	"""Exit status and lines of proaltod --check."""
	done = subprocess.run([os.path.join(h.B, "proaltod"), "--config", house.config_path, "--check"],
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60 * h.PATIENCE,
			      env=dict(os.environ, **ENGLISH))
	return done.returncode, done.stdout.splitlines()


def line_of(path, words):
	with open(path) as file:
		return next(number for number, line in enumerate(file, 1) if words in line)


def check_of_a_good_file(house):
	status, lines = look(house)
	equal(status, GOOD, "exit status")
	check(not any("error" in line for line in lines), "errors in a good file", *lines)


def check_of_a_bad_file(house):
	"""All that is wrong is told at once, each with its place, and the daemon does not start."""
	house.settings["work"] = {"workers": '"muchos"', "quietud": '"1 s"'}
	with house.stopped():
		del house.settings["work"]
		status, lines = look(house)
		places = [f"{house.config_path}:{line_of(house.config_path, word)}: " for word in ("muchos", "quietud")]
		started, said = refusal(house)
	equal(status, WRONG, "exit status of the check")
	equal(started, REFUSED, "exit status of the start")
	for place in places:
		equal(sum(place in line for line in lines), 1, f"lines on {place} of\n" + "\n".join(lines))
		check(place in said, f"the journal lacks {place}", said)


def check_of_a_bad_flow(house):
	with house.changed(*BROKEN_FLOW) as line:
		status, lines = look(house)
	equal(status, WRONG, "exit status")
	check(any(f"saldo.conf:{line}: " in one and "a_ninguna_parte" in one for one in lines), "the place is not told",
	      *lines)


def refused_again_and_again(house):
	"""systemd starts it again at once: it waits, from the second time on, until the file changes or
	somebody ends it."""
	mark = pathlib.Path(house.folder, "refused")

	def it_cost_the_longest_pause():
		mark.write_text(" ".join(["30"] + mark.read_text().split()[1:]) + "\n")

	house.settings["work"] = {"workers": '"muchos"'}
	house.environment["RUNTIME_DIRECTORY"] = house.folder
	try:
		with house.stopped():
			del house.settings["work"]
			equal(refusal(house)[0], REFUSED, "exit status of the first")
			it_cost_the_longest_pause()
			before = len(house.log())
			house.launch()
			until(lambda: "proaltod ends: " in house.log()[before:], 20 * h.PATIENCE, "the second refusal")
			equal(house.process.poll(), None, "the second one's exit status")
			pathlib.Path(house.config_path).touch()
			equal(house.process.wait(20 * h.PATIENCE), REFUSED, "exit status after the file changed")
			equal(refusal(house)[0], REFUSED, "exit status of the first of another file")
			it_cost_the_longest_pause()
			house.launch()
			until(lambda: house.log().count("proaltod ends: ") >= 4, 20 * h.PATIENCE, "the last refusal")
			check(house.stop() in (GOOD, -signal.SIGTERM), "it ends cleanly when it is told to")
			check(mark.exists(), "the refusal is noted")
		check(not mark.exists(), "the refusal is forgotten after a good start")
	finally:
		del house.environment["RUNTIME_DIRECTORY"]


# ---- demonstrations --------------------------------------------------------------------------------

def simulator_beside_a_real_channel(house):
	with house.stopped(f'\tsimulator = {{ plugin = "channel-simulator"; port = {h.free_port()}; }};'):
		status, said = refusal(house)
	equal(status, REFUSED, "exit status")
	check('the channel "simulator" is for demonstrations and can\'t stand beside a real one' in said,
	      "it does not say why", said)


def demonstration_with_a_real_core(house):
	with house.stopped():
		house.core("UPDATE core_demo.core_info SET is_demo = false")
		try:
			status, said = refusal(house)
		finally:
			house.core("UPDATE core_demo.core_info SET is_demo = true")
	equal(status, REFUSED, "exit status")
	check("demo = true, but the core is not marked as a demonstration" in said, "it does not say why", said)
	check("listening" not in said, "it listened before it looked", said)


# ---- plugins ---------------------------------------------------------------------------------------

CRASHING = '\totro = {{ plugin = "crash"; {} }};'


def plugin_crashes(house):
	"""It ends a child; the daemon says so and does not start."""
	with house.stopped(CRASHING.format("")):
		status, said = refusal(house)
	equal(status, REFUSED, "exit status")
	check("crash.so: died in the probe" in said, "it does not say why", said)


def optional_plugin_crashes(house):
	with house.stopped(CRASHING.format("optional = true;")):
		before = len(house.log())
		house.start()
		told = house.log()[before:]
		channels = [channel["name"] for channel in house.ask("status")["channels"]]
		house.consented()
		house.stop()
	check('going on without "crash" (it is optional)' in told, "the journal does not name it", told)
	equal(channels, ["whatsapp", "sms"], "channels without it")


# ---- reload ----------------------------------------------------------------------------------------

def hears_with(person, words):
	heard = "\n".join(str(bubble) for bubble in person.hears_all())
	check(words in heard, f"no {words!r} in\n{heard}")


def broken_flow_is_refused(house):
	"""Its place is told to who asked and in the journal; the old flows stay."""
	before = len(house.log())
	with house.changed(*BROKEN_FLOW) as line:
		answer = house.ask("reload")
	told = house.log()[before:]
	equal(answer["reloaded"], False, "that it was read again")
	check(any(f"saldo.conf:{line}: " in one for one in answer["report"]), "the place is not told", *answer["report"])
	check(f"saldo.conf:{line}: " in told, "the place is not in the journal", told)
	check("the old configuration stays in force" in told, "the journal does not say what holds", told)
	person = house.consented()
	person.says("mi saldo")
	hears_with(person, "cédula")


def wants_credit(house):
	"""Somebody who is asked for an amount."""
	person = house.consented()
	person.says("necesito pedir un crédito")
	hears_with(person, "Cuánto dinero")
	return person


def open_chat_ends_on_what_it_began_with(house):
	old, new = "Necesita {pedido}", "Le harían falta {pedido}"
	person = wants_credit(house)
	with house.changed("texts/flujos.conf", old, new):
		answer = house.ask("reload")
	check(answer["reloaded"], "the new texts were refused", *answer["report"])
	other = wants_credit(house)
	for one, words in ((person, old), (other, new)):
		one.says("3 millones")
		hears_with(one, words.format(pedido="$"))


def reloads_in_a_row(house):
	"""Texts that nobody needs any more are let go under the turns that were made of them."""
	writers = [house.consented() for _ in range(12)]
	over = threading.Event()

	def write(person):
		while not over.is_set():
			person.says("quiero poner una queja")
			person.says("menú")

	started = house.starts
	with concurrent.futures.ThreadPoolExecutor(len(writers)) as pool:
		writing = [pool.submit(write, person) for person in writers]
		try:
			for _ in range(150):
				check(house.ask("reload")["reloaded"], "a reload was refused")
		finally:
			over.set()
		for one in writing:
			one.result()
	house.settle(60)
	equal((house.starts, house.process.poll()), (started, None), "starts, and how the last one ended")


@contextlib.contextmanager
def secret(house, name, value):
	"""Meanwhile the file of a secret holds something else; whoever wants it taken reloads."""
	path = pathlib.Path(house.folder, name)
	good = path.read_text()
	path.write_text(value)
	try:
		yield
	finally:
		path.write_text(good)


def reload(house, *wanted):
	"""What the reload says but for warnings, which have a place."""
	answer = house.ask("reload")
	check(answer["reloaded"], "it was refused", *answer["report"])
	equal([line for line in answer["report"] if not line.startswith("/")], list(wanted), "what the reload says")


def takes(house, channel):
	reload(house, f"taken: channels.{channel}")


def paused_ms(house, name):
	return next(channel["paused_ms"] for channel in house.ask("status")["channels"] if channel["name"] == name)


def dead_token_is_replaced(house):
	"""What waits for the provider goes at once, each message once, and nothing waits for a restart."""
	people = [house.consented() for _ in range(3)]
	with secret(house, "access", "vencido"):
		takes(house, "whatsapp")
		for person in people:
			person.says("menú")
		until(lambda: paused_ms(house, "whatsapp") > 0, 10 * h.PATIENCE, "a channel that waits")
	equal([person.bubbles() for person in people], [[], [], []], "what was said with a dead token")
	takes(house, "whatsapp")
	for person in people:
		person.hears(10)
		equal(person.hears_all(), [], "said again")
	equal(paused_ms(house, "whatsapp"), 0, "the pause")


def calls_under_way(house):
	said = h.Http(house.metrics_port).request("GET", "/metrics")[1].decode()
	return 'proalto_provider_calls_in_progress{channel="whatsapp"} 1' in said


def attempt_with_the_old_token_comes_back_late(house):
	"""Its refusal is not the new token's: it stops nobody."""
	person = house.consented()
	with secret(house, "access", "vencido"):
		takes(house, "whatsapp")
		house.graph.process.send_signal(signal.SIGSTOP)
		try:
			person.says("menú")
			until(lambda: calls_under_way(house), 10 * h.PATIENCE, "an attempt with the dead token")
			pathlib.Path(house.folder, "access").write_text(h.ACCESS_TOKEN)
			before = len(house.log())
			takes(house, "whatsapp")
		finally:
			house.graph.process.send_signal(signal.SIGCONT)
		person.hears(10)
	equal(person.hears_all(), [], "said again")
	check("the channel waits for a person" not in house.log()[before:], "the channel stopped")


def new_secret_signs_webhooks(house):
	person = house.stranger()
	with secret(house, "app", "secreto-nuevo"):
		takes(house, "whatsapp")
		equal(house.post(h.webhook.of(person, person.text("hola")), secret="secreto-nuevo"), 200, "with the new secret")
		equal(house.post(h.webhook.of(person, person.text("hola"))), 403, "with the old one")
		person.hears_all()
	takes(house, "whatsapp")
	reload(house)


def new_key_of_the_sms_gateway(house):
	person = house.customer()
	with secret(house, "sms", "vencida"):
		takes(house, "sms")
		for words in ("hola", "mi saldo"):
			person.says(words)
			bubble = person.hears_all()[-1]
			if words == "hola":
				person.taps(bubble, "Sí, autorizo")
				person.hears_all()
		person.says(person.document)
		until(lambda: paused_ms(house, "sms") > 0, 10 * h.PATIENCE, "a channel that waits")
	equal(house.all_sms(person.mobile), [], "what was sent with a dead key")
	takes(house, "sms")
	house.sms(person.mobile)
	house.settle()
	equal(len(house.all_sms(person.mobile)), 1, "messages with the code")


def empty_secret_is_refused(house):
	with secret(house, "access", " "):
		answer = house.ask("reload")
	equal(answer["reloaded"], False, "that it was read again")
	check(any("access_token" in line for line in answer["report"]), "the secret is not named", *answer["report"])
	house.consented()


def core_waits_for_a_restart(house):
	house.settings["core"] = {"max_calls": 3}
	house.write_config()
	reload(house, "restart: backends")
	del house.settings["core"]
	house.write_config()
	reload(house)


TESTS = [
	("--check of a good file", check_of_a_good_file),
	("--check of a bad file, which does not start either", check_of_a_bad_file),
	("--check of a bad flow", check_of_a_bad_flow),
	("refused again and again, it waits", refused_again_and_again),
	("a simulator beside a real channel does not start", simulator_beside_a_real_channel),
	("a demonstration with a real core does not start", demonstration_with_a_real_core),
	("a plugin that crashes ends the start", plugin_crashes),
	("an optional one does not", optional_plugin_crashes),
	("a broken flow is refused by a reload", broken_flow_is_refused),
	("an open chat ends on the texts it began with", open_chat_ends_on_what_it_began_with),
	("reloads in a row, while people write", reloads_in_a_row),
	("a dead token is replaced by a reload", dead_token_is_replaced),
	("a refusal of the old token stops nobody", attempt_with_the_old_token_comes_back_late),
	("a new secret signs webhooks", new_secret_signs_webhooks),
	("a new key of the SMS gateway", new_key_of_the_sms_gateway),
	("an empty secret is refused", empty_secret_is_refused),
	("a change of the core waits for a restart", core_waits_for_a_restart),
]


def main():
	with OwnFlows(plugins=[os.path.join(h.B, "tests/plugins/crash.so")]) as house:
		return h.run(tap.chosen(TESTS), house)


if __name__ == "__main__":
	sys.exit(main())
