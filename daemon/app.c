/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include "base/calendar.h"
#include "base/err.h"
#include "commands.h"
#include "edge/routes.h"
#include "house.h"
#include "io/address.h"
#include "io/clock.h"
#include "io/crypto.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/tls.h"
#include "metrics/metrics.h"
#include "queue/queue.h"
#include "refused.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define WATCH_MS 500
#define STATUS_MS 5000
#define CLOSE_WAIT_NS (5 * NS_PER_S)
#define DRAIN_MS 1000
#define STORE_WAIT_NS (2 * NS_PER_S)
#define STUCK_TOLD 8             /* calls looked at */
#define STILL_NS (5 * NS_PER_S)  /* what does not move for so long feeds no watchdog ... */
#define STUCK_NS (60 * NS_PER_S) /* ... and for so long ends the process without one */

struct app {
	const struct app_options *options;
	struct house house;
	struct queue *_Atomic queue; /* the core's callbacks come from any thread */
	struct routes routes;
	struct http_server *server;
	struct metrics *metrics; /* NULL: none */
	struct tls *tls;         /* NULL: plain HTTP */
	pa_error stale;          /* why the renewed certificate is not in use; "": it is */
	uint64_t limited;        /* requests of bad senders, when last looked */
	bool is_proxy_told;
	struct loop *loop;
	struct commands commands;
	struct control *control;
	struct flight last[FLIGHT_SLOTS];
	size_t last_count;
	size_t stuck;  /* calls written off, when last looked */
	bool is_still; /* something did not move then */
};

static void on_core_slot(void *arg)
{
	struct app *app = arg;

	struct queue *queue = atomic_load(&app->queue);

	if (queue)
		queue_core_slot(queue);
}

static void on_core_back(void *arg)
{
	struct app *app = arg;

	struct queue *queue = atomic_load(&app->queue);

	if (queue)
		queue_core_back(queue);
}

static pa_status open_house(struct app *app, bool is_check, pa_error *err)
{
	return house_open(&(struct house_options){.config_path = app->options->config_path,
						  .probe_path = app->options->probe_path,
						  .on_core_slot = on_core_slot,
						  .on_core_back = on_core_back,
						  .arg = app,
						  .is_check = is_check,
						  .on_enter = flight_enter,
						  .on_leave = flight_leave,
						  .on_hand = flight_noted,
						  .on_take = flight_note},
			  &app->house, err);
}

/* The record of what is in hand lies beside the control socket, in the runtime directory. */
static pa_status open_flight(struct app *app, pa_error *err)
{
	const char *socket = app->house.config->control_socket;
	const char *slash = strrchr(socket, '/');
	char path[4096];
	int len = snprintf(path, sizeof(path), "%.*s/flight", slash ? (int)(slash - socket) : 1,
			   slash ? socket : ".");

	if (len < 0 || (size_t)len >= sizeof(path))
		return error_set(err, PA_REJECTED, "control.socket: the path is too long");
	return flight_open(path, app->last, FLIGHT_SLOTS, &app->last_count, err);
}

static void tell_certificate(const struct tls *tls, const char *what)
{
	struct date day = date_from_days(tls_ends_ns(tls) / (INT64_C(86400) * NS_PER_S));

	log_notice(LOG_NO_IDS, "%s, good until %04d-%02d-%02d", what, day.year, day.month, day.day);
}

static pa_status open_certificate(struct app *app, pa_error *err)
{
	const struct config *config = app->house.config;
	pa_status status;

	if (!config->certificate)
		return PA_OK;
	status = tls_new(config->certificate, config->certificate_key, &app->tls, err);
	if (status == PA_OK)
		tell_certificate(app->tls, "the port has its certificate");
	return status;
}

/* Renewed in place by whoever renews it. One that is no good may become so without a change of its
 * files, such as when its day comes. */
static void watch_certificate(struct app *app)
{
	pa_error err = ERROR_INIT;

	if (!app->tls || (!tls_has_settled(app->tls) && !*error_text(&app->stale)))
		return;
	if (tls_renew(app->tls, &err) == PA_OK)
		tell_certificate(app->tls, "the certificate was renewed");
	else if (strcmp(error_text(&err), error_text(&app->stale)) != 0)
		log_error(LOG_NO_IDS, "the old certificate stays in use: %s", error_text(&err));
	app->stale = err;
}

/* Without the addresses: they are people's. */
static void watch_senders(struct app *app)
{
	uint64_t limited = http_server_limited(app->server);

	if (limited > app->limited)
		log_warning(
			LOG_NO_IDS,
			"%llu requests were refused with 429: their senders bring bad ones only",
			(unsigned long long)(limited - app->limited));
	app->limited = limited;
	if (!app->is_proxy_told && http_server_met_proxy(app->server)) {
		app->is_proxy_told = true;
		log_warning(LOG_NO_IDS,
			    "requests bring X-Forwarded-For from an address that is not in "
			    "listen.trusted_proxies: nobody behind it is limited");
	}
}

static pa_status listen_for_providers(struct app *app, pa_error *err)
{
	const struct config *config = app->house.config;
	struct networks trusted;

	if (networks_parse(config->trusted_proxies, &trusted, err) != PA_OK)
		return PA_REJECTED;
	app->routes = (struct routes){.channels = &app->house.channels,
				      .intake = queue_intake(app->queue),
				      .writer = queue_writer(app->queue)};
	return http_server_new(
		&(struct http_server_options){
			.address = config->listen_address,
			.port = (uint16_t)config->listen_port,
			.listen_fd = notify_listen_fd(),
			.max_body = (size_t)config->listen_max_body,
			.timeout_s = (unsigned)(config->listen_timeout_ms / 1000),
			.max_connections = (unsigned)config->listen_max_connections,
			.max_per_address = (unsigned)config->listen_max_per_address,
			.bad_per_minute = (unsigned)config->listen_bad_requests,
			.trusted_proxies = &trusted,
			.delivery_paths = routes_delivery_paths,
			.tls = app->tls,
			.thread_name = "http-in",
			.handler = routes_handle,
			.arg = &app->routes,
		},
		&app->server, err);
}

/* Who knocks at once would hear 503; behind a closed door he waits this moment. A store that is
 * away for longer is no reason to keep it closed. */
static void wait_for_store(const struct app *app)
{
	int64_t until_ns = clock_monotonic_ns() + STORE_WAIT_NS;
	struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};

	while (!writer_is_ready(queue_writer(app->queue)) && clock_monotonic_ns() < until_ns)
		nanosleep(&pause, NULL);
}

/* A port that is taken is no reason not to serve customers. */
static void offer_metrics(struct app *app)
{
	const struct house *house = &app->house;
	pa_error err = ERROR_INIT;

	if (house->config->metrics_port &&
	    metrics_new(&(struct metrics_options){.config = house->config,
						  .queue = app->queue,
						  .channels = &app->house.channels,
						  .host = house->host,
						  .http = house->http,
						  .server = app->server,
						  .tls = app->tls,
						  .core = house->core,
						  .backend = house->backend,
						  .language = house->language},
			&app->metrics, &err) != PA_OK)
		log_error(LOG_NO_IDS, "going on without metrics: %s", error_text(&err));
}

static pa_status start(struct app *app, pa_error *err)
{
	pa_status status = open_house(app, false, err);

	if (status == PA_OK)
		status = house_check_demo(&app->house, err);
	if (status == PA_OK)
		status = open_flight(app, err);
	if (status == PA_OK)
		status = open_certificate(app, err);
	if (status != PA_OK)
		return status;
	app->queue = queue_new(&(struct queue_options){.config = app->house.config,
						       .ring = app->house.keys,
						       .channels = &app->house.channels,
						       .http = app->house.http,
						       .core = app->house.core,
						       .backend = app->house.backend,
						       .language = app->house.language,
						       .flow_set = house_flows,
						       .flow_set_arg = &app->house,
						       .last = app->last,
						       .last_count = app->last_count});
	queue_core_slot(app->queue); /* one may have been freed before its address was known */
	wait_for_store(app);
	status = listen_for_providers(app, err);
	if (status != PA_OK)
		return status;
	offer_metrics(app);
	queue_open_sessions(app->queue);
	log_notice(LOG_NO_IDS, "listening on %s port %u", app->house.config->listen_address,
		   http_server_port(app->server));
	return PA_OK;
}

static void end_http(void *arg)
{
	house_end_http(arg);
}

/* Who is inside is served, and everyone who waits for an answer gets it before the door is shut;
 * who comes now waits for the next daemon, if systemd holds the socket. */
static void close_door(struct app *app)
{
	int64_t until_ns = clock_monotonic_ns() + CLOSE_WAIT_NS;
	struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};

	if (!app->server)
		return;
	http_server_drain(app->server, DRAIN_MS);
	routes_close(&app->routes);
	while (intake_unanswered(app->routes.intake) && clock_monotonic_ns() < until_ns)
		nanosleep(&pause, NULL);
}

static void stop(struct app *app)
{
	close_door(app);
	control_free(app->control);  /* waits for what operators asked the store */
	metrics_close(app->metrics); /* it asks the queue */
	queue_free(app->queue, end_http, &app->house);
	app->queue = NULL;
	metrics_free(app->metrics); /* may wait for a database that does not answer */
	http_server_free(app->server);
	tls_free(app->tls);
	house_close(&app->house);
	flight_close();
}

static void on_reload(void *arg)
{
	struct app *app = arg;
	struct arena *arena PA_CLEANUP(arena_done) = arena_new((size_t)16 << 20);
	pa_str report;

	IGNORE_STATUS(commands_reload(&app->commands, arena, &report), "it is in the journal");
}

static void on_stop(void *arg)
{
	loop_stop(((struct app *)arg)->loop);
}

static const char *word_of(const struct host_stuck *call)
{
	return call->what ? call->what : "on a thread that can't be replaced";
}

static void end_for(const struct host_stuck *call, size_t count)
{
	log_error(LOG_IDS(.plugin = call->plugin),
		  "ending: %zu calls do not come back, such as one to %s (%s), %lld ms late", count,
		  call->plugin, word_of(call), (long long)call->late_ms);
	flight_enter(call->plugin); /* this thread dies for it */
	abort();
}

/* A lent call that does not come back costs a thread, which others replace: a few are borne. The
 * threads of channels have no replacement. */
static void watch_calls(struct app *app)
{
	const struct config *config = app->house.config;
	struct host_stuck calls[STUCK_TOLD];
	size_t count = host_stuck(app->house.host, config->stuck_after_ms, calls, STUCK_TOLD);

	for (size_t i = 0; i < count && i < STUCK_TOLD; i++)
		if (!calls[i].what)
			end_for(&calls[i], count);
	if (count >= (size_t)config->stuck_calls)
		end_for(&calls[0], count);
	if (count > app->stuck)
		log_error(
			LOG_IDS(.plugin = calls[0].plugin),
			"a call to %s (%s) is %lld ms late: its thread is written off, %zu of %lld",
			calls[0].plugin, word_of(&calls[0]), (long long)calls[0].late_ms, count,
			(long long)config->stuck_calls);
	app->stuck = count;
}

/* What hangs is named and the process ends; what it had in hand is in the store. As long as
 * everything moves, systemd hears of it. */
static void on_watch(void *arg)
{
	struct app *app = arg;
	const char *what;
	int64_t still_ns;

	watch_calls(app);
	still_ns = queue_still_ns(app->queue, &what);
	if (still_ns > STUCK_NS) {
		log_error(LOG_NO_IDS, "%s does not move: ending", what);
		abort();
	}
	if (still_ns < STILL_NS)
		notify_watchdog();
	else if (!app->is_still)
		log_error(LOG_NO_IDS, "%s does not move: systemd is told nothing any more", what);
	app->is_still = still_ns >= STILL_NS;
}

/* False if the node serves. */
static bool tell_drain(const struct app *app)
{
	struct queue_drain_status drain = queue_drain_status(app->queue);

	if (drain.phase == KEEPER_SERVING)
		return false;
	if (drain.phase == KEEPER_DRAINED)
		notify_status("Vaciado: no recibe ni envía nada hasta proaltoctl undrain");
	else
		notify_status("Vaciándose: no recibe nada; %zu conversaciones y %zu mensajes por "
			      "terminar",
			      drain.conversations, drain.messages);
	return true;
}

static void on_status(void *arg)
{
	struct app *app = arg;
	struct queue_status status = queue_status(app->queue);
	struct host_stuck call;
	size_t stuck = host_stuck(app->house.host, app->house.config->stuck_after_ms, &call, 1);

	watch_certificate(app);
	watch_senders(app);
	if (tell_drain(app))
		return;
	if (stuck) {
		notify_status("En servicio, pero %zu llamadas no vuelven: %s (%s)", stuck,
			      call.plugin, word_of(&call));
		return;
	}
	if (!status.is_store_there) {
		notify_status("La base de datos no responde; los mensajes se rechazan con 503");
		return;
	}
	notify_status("En servicio: %llu turnos, %zu conversaciones en memoria, %zu por enviar",
		      (unsigned long long)status.turns.turns, status.conversations.in_memory,
		      status.dispatch.waiting);
}

/* Signals are blocked before any other thread starts. */
static pa_status make_loop(struct app *app, pa_error *err)
{
	pa_status status = loop_new(&app->loop, err);

	if (status == PA_OK)
		status = loop_on_signal(app->loop, SIGTERM, on_stop, app, err);
	if (status == PA_OK)
		status = loop_on_signal(app->loop, SIGINT, on_stop, app, err);
	if (status == PA_OK)
		status = loop_on_signal(app->loop, SIGHUP, on_reload, app, err);
	return status;
}

/* Ready means listening, even with the database away. */
static pa_status serve(struct app *app, pa_error *err)
{
	pa_status status = loop_add_timer(app->loop, WATCH_MS, WATCH_MS, on_watch, app, NULL, err);

	if (status == PA_OK)
		status = loop_add_timer(app->loop, 0, STATUS_MS, on_status, app, NULL, err);
	app->commands = (struct commands){.house = &app->house,
					  .tls = app->tls,
					  .queue = app->queue,
					  .config_path = app->options->config_path,
					  .started_ns = clock_now_ns()};
	if (status == PA_OK)
		status = commands_listen(&app->commands, app->loop, &app->control, err);
	if (status != PA_OK)
		return status;
	notify_ready();
	status = loop_run(app->loop, err);
	notify_stopping();
	return status;
}

int app_run(const struct app_options *options)
{
	struct app *app = calloc(1, sizeof(*app));
	struct config_version config;
	pa_error err = ERROR_INIT;
	pa_status status;

	if (!app)
		abort();
	app->options = options;
	config = config_version_of(options->config_path);
	signal(SIGPIPE, SIG_IGN);
	status = crypto_init();
	if (status == PA_OK)
		status = make_loop(app, &err);
	if (status == PA_OK)
		status = start(app, &err);
	if (status == PA_OK) {
		refused_forget();
		status = serve(app, &err);
	}
	if (status != PA_OK)
		log_error(LOG_NO_IDS, "proaltod ends: %s", error_text(&err));
	stop(app);
	loop_free(app->loop);
	free(app);
	if (status == PA_REJECTED)
		return refused_wait(options->config_path, &config) ? EX_CONFIG : 0;
	return status == PA_OK ? 0 : 1;
}

int app_check(const struct app_options *options)
{
	struct app *app = calloc(1, sizeof(*app));
	pa_error err = ERROR_INIT;
	pa_status status;

	if (!app)
		abort();
	app->options = options;
	status = crypto_init();
	if (status == PA_OK)
		status = open_house(app, true, &err);
	if (status == PA_OK)
		status = open_certificate(app, &err);
	if (status != PA_OK)
		log_error(LOG_NO_IDS, "%s", error_text(&err));
	tls_free(app->tls);
	house_close(&app->house);
	free(app);
	return status == PA_OK ? 0 : 2;
}

int app_print_options(const struct app_options *options, const char *plugin)
{
	struct app *app = calloc(1, sizeof(*app));
	const pa_plugin *descriptor;
	pa_error err = ERROR_INIT;
	pa_status status;

	if (!app)
		abort();
	app->options = options;
	house_open_host(&app->house, options->config_path, options->probe_path);
	status = host_describe(app->house.host, plugin, &descriptor, &err);
	if (status == PA_OK)
		config_print_options(descriptor);
	else
		log_error(LOG_NO_IDS, "%s", error_text(&err));
	house_close(&app->house);
	free(app);
	return status == PA_OK ? 0 : 2;
}
