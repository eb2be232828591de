#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the daemon tells Prometheus: the format, by Prometheus' own checker; the values, by what was done;
and that the alarms and the dashboard that are shipped ask for metrics that there are."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support")

import house as h
import tap
import webhook
from tap import check, equal, until

NO_LOOK = "metrics can't look into the store"
OBSERVABILITY = os.path.join(h.TOP, "etc/observability")
SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def scrape(house, path="/metrics", method="GET"):
	status, body, headers = h.Http(house.metrics_port).request(method, path)
	return status, body.decode(), headers


def read(house):
	"""{(name, labels as a frozenset of pairs): value}"""
	status, text, headers = scrape(house)
	equal(status, 200, "status of /metrics")
	equal(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "its type")
	values = {}
	for line in text.splitlines():
		if line.startswith("#"):
			continue
		found = SAMPLE.match(line)
		check(found, "a line that is no sample", line)
		name, labels, value = found.groups()
		key = name, frozenset(LABEL.findall(labels or ""))
		check(key not in values, "a sample twice", line)
		values[key] = float(value)
	return values


def value(values, name, **labels):
	return values[name, frozenset(labels.items())]


def moved(before, after, name, **labels):
	return value(after, name, **labels) - value(before, name, **labels)


def families(house):
	"""Every name under which something is told, and every label's values."""
	names, labels = set(), {}
	for name, pairs in read(house):
		names.add(name)
		for label, text in pairs:
			labels.setdefault(label, set()).add(text)
	return names, labels


# ---- the format ------------------------------------------------------------------------------------

def prometheus_reads_it(house):
	done = subprocess.run(["promtool", "check", "metrics"], input=scrape(house)[1], text=True,
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	equal((done.returncode, done.stdout.strip()), (0, ""), "what promtool says")


def histograms_add_up(house):
	values = read(house)
	counts = {key: total for key, total in values.items() if key[0].endswith("_seconds_count")}
	check(len(counts) > 5, "there are hardly any histograms", sorted(counts))
	for (name, labels), total in counts.items():
		base = name[:-len("_count")]
		buckets = sorted((float(dict(pairs)["le"]), count) for (other, pairs), count in values.items()
				 if other == base + "_bucket" and pairs - {p for p in pairs if p[0] == "le"} == labels)
		steps = [count for _, count in buckets]
		equal(steps, sorted(steps), f"buckets of {name}")
		equal(buckets[-1], (float("inf"), total), f"the last bucket of {name}")
		# What the buckets allow the sum to be.
		least = most = 0
		for (bound, count), low, before in zip(buckets, [0] + [b for b, _ in buckets], [0] + steps):
			least += (count - before) * low
			most += (count - before) * bound if count > before else 0
		total_s = values[base + "_sum", labels]
		check(least <= total_s + 1e-9 and total_s <= most + 1e-9, f"the sum of {name}", least, total_s, most)


def nothing_else_is_there(house):
	equal([scrape(house, path)[0] for path in ("/", "/metrics/", "/webhook/whatsapp", "/healthz")], [404] * 4,
	      "other paths of the port")
	equal(scrape(house, method="POST")[0], 405, "another method")
	equal(house.http.request("GET", "/metrics")[0], 404, "the public port")


# ---- the values ------------------------------------------------------------------------------------

def a_message_is_counted(house):
	"""One in, its answers out, their receipts in; and nobody's name anywhere."""
	house.settle()
	before = read(house)
	ana = house.customer()
	ana.says("hola")
	answers = len(ana.hears_all())
	until(lambda: moved(before, read(house), "proalto_receipts_total", channel="whatsapp", status="read") == answers,
	      10 * h.PATIENCE, "the receipts")
	after, chat = read(house), {"channel": "whatsapp"}
	wanted = {
		("proalto_events_total", ()): 1,
		("proalto_events_duplicate_total", ()): 0,
		("proalto_deliveries_refused_total", ()): 0,
		("proalto_messages_total", (("state", "sent"),)): answers,
		("proalto_attempts_total", (("result", "sent"),)): answers,
		("proalto_attempt_errors_total", (("code", "other"),)): 0,
		("proalto_provider_call_seconds_count", ()): answers,
		("proalto_answer_begun_seconds_count", ()): 1,
		("proalto_answer_seconds_count", ()): 1,
		("proalto_receipts_total", (("status", "sent"),)): answers,
		("proalto_receipts_total", (("status", "failed"),)): 0,
	}
	made = moved(before, after, "proalto_http_client_requests_total")
	check(made >= answers, "requests of ours", made)
	check(moved(before, after, "proalto_http_client_connections_total") <= made, "more connections than requests")
	equal(value(after, "proalto_http_client_requests_in_progress"), 0, "requests under way")
	check(value(after, "proalto_http_connections") > 0, "the test's own connection")
	for (name, labels), much in wanted.items():
		equal(moved(before, after, name, **chat, **dict(labels)), much, f"{name} {labels}")
	deliveries = moved(before, after, "proalto_deliveries_total", **chat)
	check(deliveries >= 1 + answers, "deliveries", deliveries)
	equal(moved(before, after, "proalto_acknowledge_seconds_count", **chat), deliveries, "acknowledged")
	equal(moved(before, after, "proalto_turn_seconds_count"), 1, "turns")
	equal(moved(before, after, "proalto_commit_items_total", kind="turn"), 1, "turns committed")
	check(moved(before, after, "proalto_commit_seconds_count") >= 2, "there were no commits")
	check(value(after, "proalto_answer_seconds_sum", **chat) >= value(after, "proalto_answer_begun_seconds_sum", **chat),
	      "answers ended before they began")
	text = scrape(house)[1]
	for personal in (ana.phone, ana.document, ana.record["name"]):
		check(personal not in text, "a person is in the metrics")


def a_question_to_the_core_is_counted(house):
	ana = house.customer()
	ana.says("hola")
	ana.taps(ana.hears_all()[-1], "Sí, autorizo")
	ana.says("saldo")
	ana.hears_all()
	before = read(house)
	ana.says(ana.document)
	ana.hears_all()
	after, asked = read(house), {"backend": "core", "operation": "find_customer"}
	equal(moved(before, after, "proalto_core_calls_total", result="answered", **asked), 1, "questions answered")
	equal(moved(before, after, "proalto_core_call_seconds_count", **asked), 1, "questions timed")
	equal(moved(before, after, "proalto_messages_total", channel="sms", state="sent"), 1, "codes sent")
	equal([value(after, "proalto_core_state", backend="core", state=state) for state in ("up", "trying", "down")],
	      [1, 0, 0], "the core's state")


def what_is_wrong_is_counted(house):
	before = read(house)
	ana = house.stranger()
	message = webhook.of(ana, ana.text("hola", at=house.now()))
	equal([house.post(message), house.post(message), house.post(message, secret="otro")], [200, 200, 403],
	      "answers to a message, to it again, and forged")
	house.graph.faults({"kind": "error", "http": 400, "code": 131026, "count": 1})
	ana.says("menú")
	house.settle()
	house.graph.faults()
	after, chat = read(house), {"channel": "whatsapp"}
	equal(moved(before, after, "proalto_events_duplicate_total", **chat), 1, "duplicates")
	equal(moved(before, after, "proalto_deliveries_forged_total", **chat), 1, "forged deliveries")
	equal(value(after, "proalto_attempt_errors_total", code="131026", **chat), 1, "errors of the provider")
	equal(moved(before, after, "proalto_messages_total", state="failed", **chat), 1, "failed messages")


def doubt_is_counted(house):
	"""The provider accepts an answer, says nothing, and sends no status: it goes again."""
	before, chat = read(house), {"channel": "whatsapp"}
	house.graph.control("statuses", {"sent_ms": -1, "delivered_ms": -1, "read_ms": -1})
	house.graph.faults({"kind": "drop_after", "count": 1})
	house.stranger().says("hola")
	until(lambda: moved(before, read(house), "proalto_messages_repeated_total", **chat) == 1, 10 * h.PATIENCE,
	      "a reply sent again")
	house.settle()
	house.graph.control("statuses", {"sent_ms": 5, "delivered_ms": 10, "read_ms": 15})
	after = read(house)
	equal(moved(before, after, "proalto_attempts_total", result="uncertain", **chat), 1, "attempts in doubt")
	equal(moved(before, after, "proalto_attempt_errors_total", code="other", **chat), 1, "errors without a code")


def a_closed_gate_is_counted(house):
	"""A day passes before an answer can be sent."""
	before, chat = read(house), {"channel": "whatsapp"}
	house.graph.faults({"kind": "error", "http": 500, "code": 131000, "count": 1})
	house.stranger().says("hola")
	until(lambda: moved(before, read(house), "proalto_attempts_total", result="retry", **chat) == 1, 10 * h.PATIENCE,
	      "an attempt that failed")
	house.advance(25 * 3600)
	house.settle()
	after = read(house)
	refused = moved(before, after, "proalto_gate_refusals_total", reason="window-closed", **chat)
	check(refused > 0, "nothing was refused")
	equal(moved(before, after, "proalto_messages_total", state="refused", **chat), refused, "refused messages")
	equal(moved(before, after, "proalto_gate_refusals_total", reason="too-late", **chat), 0, "refused for another reason")


def the_core_away_is_seen(house):
	house.core_away(True)
	try:
		for _ in range(6):
			ana = house.customer()
			ana.says("hola")
			ana.taps(ana.hears_all()[-1], "Sí, autorizo")
			ana.says("saldo")
			ana.hears_all()
			ana.says(ana.document)
		until(lambda: value(read(house), "proalto_core_state", backend="core", state="up") == 0, 10 * h.PATIENCE,
		      "the open breaker")
	finally:
		house.core_away(False)
	values = read(house)
	check(value(values, "proalto_core_calls_total", backend="core", operation="find_customer", result="away") > 0,
	      "no call failed")
	until(lambda: value(read(house), "proalto_core_state", backend="core", state="up") == 1, 20 * h.PATIENCE,
	      "the closed breaker")


def what_waits_is_seen(house):
	"""The provider is away: what is to go out is counted in the store."""
	house.settle()
	equal(value(read(house), "proalto_outbox_open", channel="whatsapp"), 0, "messages before")
	house.graph.faults({"kind": "error", "http": 500, "code": 131000, "count": 1})
	ana = house.stranger()
	ana.says("hola")
	until(lambda: value(read(house), "proalto_outbox_open", channel="whatsapp") > 0, 10 * h.PATIENCE, "a message that waits")
	until(lambda: value(read(house), "proalto_outbox_oldest_seconds", channel="whatsapp") > 0.5, 10 * h.PATIENCE, "its age")
	house.graph.faults()
	house.settle(40)
	values = read(house)
	equal(value(values, "proalto_outbox_oldest_seconds", channel="whatsapp"), 0, "the oldest of none")
	equal(value(values, "proalto_nodes_alive"), 1, "nodes")
	equal(value(values, "proalto_schema_version"), len(os.listdir(os.path.join(h.TOP, "sql/migrations"))), "schema")
	equal(value(values, "proalto_channel_leased", channel="whatsapp"), 1, "channel's lease")
	check(0 < value(values, "process_resident_anonymous_bytes") < (40e6 if h.PATIENCE == 1 else 1e9), "memory")
	check(0 < value(values, "process_open_fds") < value(values, "process_max_fds"), "descriptors")
	check(abs(value(values, "process_start_time_seconds") - os.stat(f"/proc/{house.process.pid}").st_mtime) < 10,
	      "when it began")


def the_store_away(house):
	"""Metrics are there all the same, those of the store as they last were, for a minute."""
	read(house)
	seen = house.log().count(NO_LOOK)
	house.server.halt()
	try:
		until(lambda: value(read(house), "proalto_store_up") == 0, 10 * h.PATIENCE, "the store's absence")
		until(lambda: read(house) and house.log().count(NO_LOOK) > seen, 10 * h.PATIENCE, "the journal to tell")
		equal(value(read(house), "proalto_nodes_alive"), 1, "nodes when last seen")
	finally:
		house.server.resume()
	until(lambda: value(read(house), "proalto_store_up") == 1, 20 * h.PATIENCE, "the store's return")
	equal(value(read(house), "proalto_inbox_work"), 0, "work waiting")


def the_store_is_slow(house):
	"""What can't be counted in time is told as it last was."""
	read(house)
	seen = house.log().count(NO_LOOK)
	house.rows("BEGIN")
	try:
		house.rows("LOCK TABLE set_aside")
		until(lambda: read(house) and house.log().count(NO_LOOK) > seen, 20 * h.PATIENCE, "a look that fails")
		equal(value(read(house), "proalto_nodes_alive"), 1, "nodes when last seen")
	finally:
		house.rows("ROLLBACK")
	house.rows("INSERT INTO set_aside SELECT i, 0, now(), now(), 'prueba' FROM generate_series(1, 10001) i")
	try:
		until(lambda: value(read(house), "proalto_events_set_aside") == 10000, 10 * h.PATIENCE, "no more than are counted")
	finally:
		house.rows("DELETE FROM set_aside")


# ---- what is shipped -------------------------------------------------------------------------------

OF_SOME_HOUSES = {"proalto_certificate_expiry_timestamp_seconds"}  # tests/integration/edge.py has one


def asked_for(expression):
	"""The metrics in an expression of Prometheus."""
	return set(re.findall(r"\b(?:proalto|process)_[a-z0-9_]+", expression))


def expressions():
	"""(where, expression) of alarms and dashboard."""
	with open(os.path.join(OBSERVABILITY, "grafana-proalto.json")) as file:
		board = json.load(file)
	panels = [panel for panel in board["panels"] if panel["type"] != "row"]
	for panel in panels:
		for target in panel["targets"]:
			yield f"panel {panel['title']!r}", target["expr"]
	with open(os.path.join(OBSERVABILITY, "prometheus-proalto.rules.yml")) as file:
		for line in re.findall(r"^\s+expr: (.*)$", file.read(), re.MULTILINE):
			yield "alarm", line


def all_that_is_asked_for_exists(house):
	names, _ = families(house)
	found = list(expressions())
	check(len(found) > 20, "there are hardly any expressions", len(found))
	for where, expression in found:
		missing = asked_for(expression) - names - OF_SOME_HOUSES
		check(not missing, f"{where} asks for what there is not", missing)
		check(asked_for(expression) or "up{" in expression, f"{where} asks for nothing", expression)


def labels_that_are_asked_for_exist(house):
	_, labels = families(house)
	for where, expression in expressions():
		for label, text in re.findall(r'(\w+)="([^"$]*)"', expression):
			check(label == "job" or text in labels.get(label, ()), f"{where}: no {label}={text!r}", labels.get(label))


def promtool(*args):
	done = subprocess.run(["promtool", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
			      cwd=OBSERVABILITY)
	equal(done.returncode, 0, f"exit status of promtool {' '.join(args)}\n{done.stdout}")


def alarms_are_read(_):
	promtool("check", "rules", "prometheus-proalto.rules.yml")


# Each alarm: series, by minutes in promtool's notation, with which it is quiet, and with which it has gone off
# after an hour.
HEALTHY, SICK = "1x60", "1x20 0x39"
ALARMS = {
	"ProaltoSinRespuesta": ('up{job="proalto"}', HEALTHY, SICK),
	"ProaltoSinBaseDeDatos": ("proalto_store_up", HEALTHY, SICK),
	"ProaltoSinEmisor": ('proalto_channel_leased{channel="whatsapp"}', HEALTHY, SICK),
	"ProaltoSeReinicia": ('process_start_time_seconds{job="proalto"}', "7x60", "7x40 8+1x19"),
	"ProaltoWebhooksRechazados": ('proalto_deliveries_refused_total{channel="whatsapp"}', "5x60", "0+3x60"),
	"ProaltoWebhooksFalsos": ('proalto_deliveries_forged_total{channel="whatsapp"}', "0+1x60", "0+2x60"),
	"ProaltoClientesEsperan": ("proalto_inbox_oldest_seconds", "3x60", "0+60x60"),
	"ProaltoRespuestasTardias": ("proalto_late_answers_total", "7x60", "0+1x60"),
	"ProaltoRespuestasLentas": ('proalto_answer_seconds_bucket{channel="whatsapp",le="LE"}', "fast", "slow"),
	"ProaltoSalidaDetenida": ('proalto_outbox_oldest_seconds{channel="whatsapp"}', "600x60", "0+60x60"),
	"ProaltoCanalEnfermo": ('proalto_channel_healthy{channel="whatsapp"}', HEALTHY, SICK),
	"ProaltoCanalEsperaPersona": ('proalto_attempts_total{channel="whatsapp",result="alarm"}', "2x60", "2x55 3x4"),
	"ProaltoEnviosFallidos": ('proalto_messages_total{channel="whatsapp",state="failed"}', "0+4x60", "0+10x60"),
	"ProaltoMensajesRepetidos": ('proalto_messages_repeated_total{channel="whatsapp"}', "2x60", "0+1x60"),
	"ProaltoPuertaCerrada": ('proalto_gate_refusals_total{channel="whatsapp",reason="too-late"}', "9x60", "0+1x60"),
	"ProaltoNucleoCaido": ('proalto_core_state{backend="core",state="up"}', HEALTHY, SICK),
	"ProaltoNucleoLento": ('proalto_core_call_seconds_bucket{backend="core",le="LE"}', "fast", "slow"),
	"ProaltoComplementoDesactivado": ('proalto_plugin_disabled{plugin="p",use="core"}', "0x60", "0x50 1x9"),
	"ProaltoLlamadasPerdidas": ("proalto_stuck_calls", "0x60", "2x60"),
	"ProaltoEventosApartados": ("proalto_events_set_aside", "0x60", "0x50 1x9"),
	"ProaltoTurnosFallidos": ("proalto_turns_failed_total", "4x60", "4x50 5x9"),
	"ProaltoErrores": ('proalto_log_lines_total{level="error"}', "30x60", "0+1x60"),
	"ProaltoMemoria": ('process_resident_anonymous_bytes{job="proalto"}', "80e6x60", "400e6x60"),
	"ProaltoConexionesLlenas": ("proalto_http_connections", "100x60", "1900x60"),
	# promtool's time begins in 1970.
	"ProaltoCertificadoVence": ("proalto_certificate_expiry_timestamp_seconds", "1300000x80", "864000x80"),
	"ProaltoDescriptores": ('process_open_fds{job="proalto"}', "100x60", "900x60"),
}
BESIDE = [("proalto_http_connections_limit", "2000x60"),
	  ('process_max_fds{job="proalto"}', "1000x60"),
	  ('proalto_messages_total{channel="whatsapp",state="sent"}', "0+100x60")]
BUCKETS = {"fast": {"1": "0+100x60", "30": "0+100x60", "+Inf": "0+100x60"},
	   "slow": {"1": "0+50x60", "30": "0+100x60", "+Inf": "0+100x60"}}


def series_of(name, values):
	if values in BUCKETS:
		return [(name.replace("LE", bound), each) for bound, each in BUCKETS[values].items()]
	return [(name, values)]


def alarms_test(column, goes_off):
	"""All of them at once, by the series of a column of ALARMS."""
	series = list(BESIDE)
	for alarm in ALARMS.values():
		series += series_of(alarm[0], alarm[column])
	sample = [{"labels": "{}", "value": 1}] if goes_off else []
	return {"interval": "1m", "input_series": [{"series": name, "values": values} for name, values in series],
		"promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{alarm}",alertstate="firing"}})', "eval_time": "60m",
				      "exp_samples": sample} for alarm in ALARMS]}


def alarms_go_off(_):
	"""Each, by series in which it should and in which it should not."""
	rules = os.path.join(OBSERVABILITY, "prometheus-proalto.rules.yml")
	with open(rules) as file:
		equal(set(ALARMS), set(re.findall(r"- alert: (\w+)", file.read())), "alarms that are tested")
	with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
		json.dump({"rule_files": [rules], "evaluation_interval": "1m",
			   "tests": [alarms_test(1, False), alarms_test(2, True)]}, file)
		file.flush()
		promtool("test", "rules", file.name)


def dashboard_is_prometheus(_):
	"""Its expressions, as the rules of a file that Prometheus reads."""
	with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
		file.write("groups:\n- name: board\n  rules:\n")
		for number, (_, expression) in enumerate(expressions()):
			file.write(f"  - record: board:{number}\n    expr: {json.dumps(expression.replace('$__rate_interval', '5m'))}\n")
		file.flush()
		promtool("check", "rules", file.name)


# ---- the port --------------------------------------------------------------------------------------

def another_address_is_refused(house):
	def look(**settings):
		house.settings["metrics"] = settings
		house.write_config()
		return subprocess.run([os.path.join(h.B, "proaltod"), "--config", house.config_path, "--check"],
				      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
				      env=dict(os.environ, LC_ALL="C"))
	try:
		refused = look(address='"0.0.0.0"')
		equal(refused.returncode, 2, "exit status of the check")
		check("metrics.address" in refused.stdout and "metrics.remote = true" in refused.stdout, "it does not say why",
		      refused.stdout)
		equal(look(address='"0.0.0.0"', remote="true").returncode, 0, "when it is said to be meant")
		equal(look(address='"::1"').returncode, 0, "of the other loopback")
	finally:
		house.settings.pop("metrics")
		house.write_config()


def a_taken_port_stops_nobody(house):
	house.settings["metrics"] = {"port": house.port}
	house.write_config()
	house.restart()
	check("going on without metrics" in house.log(), "the journal does not say so")
	house.settings["metrics"] = {"port": 0}
	house.write_config()
	before = len(house.log())
	house.restart()
	check("metrics" not in house.log()[before:], "metrics that are off are told of", house.log()[before:])
	for port in (house.metrics_port, 9469):  # the one that it had, and the default
		with socket.socket() as probe:
			check(probe.connect_ex(("127.0.0.1", port)) != 0, f"somebody listens on port {port}")


TESTS = [
	("a message is counted, and nobody is named", a_message_is_counted),
	("a question to the core is counted", a_question_to_the_core_is_counted),
	("duplicates, forgeries and errors are counted", what_is_wrong_is_counted),
	("doubt is counted", doubt_is_counted),
	("a closed gate is counted", a_closed_gate_is_counted),
	("the core's absence is seen", the_core_away_is_seen),
	("what waits is seen", what_waits_is_seen),
	("the store's absence is seen", the_store_away),
	("a store that is slow hides nothing", the_store_is_slow),
	("Prometheus reads it without a complaint", prometheus_reads_it),
	("histograms add up", histograms_add_up),
	("nothing else is at the port", nothing_else_is_there),
	("alarms and dashboard ask for metrics that there are", all_that_is_asked_for_exists),
	("and for labels that there are", labels_that_are_asked_for_exist),
	("Prometheus reads the alarms", alarms_are_read),
	("alarms go off when they should", alarms_go_off),
	("Prometheus reads the dashboard's expressions", dashboard_is_prometheus),
	("another address than the loopback's must be meant", another_address_is_refused),
	("a port that is taken stops nobody", a_taken_port_stops_nobody),
]


def main():
	with h.House() as house:
		return h.run(tap.chosen(TESTS), house)


if __name__ == "__main__":
	sys.exit(main())
