# What both demonstrations share: `make run` (run) and `proaltoctl demo` (installed). A PostgreSQL of its
# own and proaltod with the simulator, both unprivileged; whatever happens, all that was started ends.
# What it keeps lies in one folder, so that the next time takes seconds.
#
# Who includes this says first:
#	demo_name       the command, for complaints          PORT      of the page
#	proaltod proaltoctl plugins                          the programs
#	shipped core_conf sql template                       flows and texts, the core's queries, ...
#	choose_user     sets user, as_user and as_builder    choose_folder  sets home, or dies
# shellcheck shell=bash
# shellcheck disable=SC2015,SC2154,SC2317 # "this && that || die"; set elsewhere; called by traps
pg_bin=/usr/lib/postgresql/15/bin
pg_pid=
daemon_pid=

say()
{
	printf '%s\n' "$@"
}

# tell SPANISH ENGLISH: as proaltoctl chooses, if speaks=locale.
tell()
{
	local locale=${LC_ALL:-${LC_MESSAGES:-${LANG:-es}}}

	[ "$speaks" = locale ] && [[ $locale = es* ]] && say "$1" || say "$2"
}

die()
{
	printf '\n%s: %s\n' "$demo_name" "$*" >&2
	exit 1
}

# die_of LOG REASON: with the end of the log above it.
die_of()
{
	tail -n 20 "$1" >&2
	die "$2$(tell "; arriba está lo último que dijo" "; its last words are above")"
}

is_root()
{
	[ "$(id -u)" = 0 ]
}

# ---- the port --------------------------------------------------------------------------------------

is_listening()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

check_port()
{
	[[ $PORT =~ ^[0-9]+$ ]] && [ "$PORT" -ge 1024 ] && [ "$PORT" -le 65535 ] ||
		die "$(tell "el puerto debe ser un número de 1024 a 65535, no $PORT" \
			"PORT must be a number from 1024 to 65535, not $PORT")"
	! is_listening ||
		die "$(tell "algo ya escucha en el puerto $PORT de este equipo: quizás otra demostración." \
			"something already listens on port $PORT of this machine: perhaps another demonstration.")" \
			"$(tell "Termínela, o elija otro puerto:" "End it, or choose another port:")" \
			"$demo_name $port_option$((PORT + 1))"
}

# ---- the folder ------------------------------------------------------------------------------------

# user_folder DIR: where the demonstration's user, and nobody else, writes. All else in the folder is
# this script's, so that root never writes where another might have laid a trap.
user_folder()
{
	mkdir -p "$1"
	chmod 700 "$1"
	! is_root || chown "$user:" "$1"
}

# The folder itself goes to whom the sources belong, who can then remove it.
make_home()
{
	[ ! -e "$home" ] || [ -O "$home" ] || is_root ||
		die "$(tell "$home es de otra persona: ejecute esto como ella, o bórrela" \
			"$home belongs to somebody else: run this as he does, or remove it")"
	mkdir -p "$home"
	chmod 755 "$home"
	[ "$user" = postgres ] || ! is_root || chown "$user:" "$home"
	user_folder "$home/socket"
	exec {lock}>"$home/lock"
	flock -n "$lock" ||
		die "$(tell "ya hay una demostración en $home: termínela primero" \
			"a demonstration already runs from $home: end that one first")"
}

# away OF: a folder of ours where others may look but not write, named after OF.
away()
{
	local folder

	folder=/var/tmp/proalto-demo-$(id -u)-$(cksum <<<"$1" | cut -d' ' -f1)
	mkdir -m 755 "$folder" 2>/dev/null || true
	[ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ] ||
		die "$(tell "$folder es de otra persona: bórrela" "$folder belongs to somebody else: remove it")"
	say "$(tell "(la demostración guarda sus archivos en $folder/run)" \
		"(the demonstration keeps its files in $folder/run)")" >&2
	say "$folder/run"
}

write_secret()
{
	[ -s "$1" ] || (umask 077 && od -An -vtx1 -N32 /dev/urandom | tr -d ' \n' >"$1")
	! is_root || chown "$user:" "$1"
}

write_configuration()
{
	write_secret "$home/master.key"
	rm -f "$home/proalto.conf"
	sed -e "s|@home@|$home|g" -e "s|@plugins@|$plugins|g" -e "s|@shipped@|$shipped|g" \
		-e "s|@port@|$PORT|g" "$template" >"$home/proalto.conf"
	install -m 644 "$core_conf" "$home/backend-postgres.demo.conf"
}

# ---- PostgreSQL ------------------------------------------------------------------------------------

# Our own sessions, as its superuser.
demo_psql()
{
	"$pg_bin/psql" -qXAt -v ON_ERROR_STOP=1 -h "$home/socket" -U demo_admin "$@"
}

# Only the demonstration's user and whoever runs this script come in, over the unix socket.
allow_users()
{
	local role

	echo "local all all peer map=demo" | "${as_user[@]}" tee "$home/data/pg_hba.conf" >/dev/null
	for role in demo_admin proalto_owner proalto proalto_core_reader; do
		printf 'demo %s %s\n' "$user" "$role" "$(id -un)" "$role"
	done | sort -u | "${as_user[@]}" tee "$home/data/pg_ident.conf" >/dev/null
}

make_cluster()
{
	[ ! -e "$home/data" ] || [ "$(stat -c %U "$home/data")" = "$user" ] || ! is_root ||
		chown -R "$user:" "$home/data"
	"${as_user[@]}" test -e "$home/data/complete" && return
	say "$(tell "Preparando un PostgreSQL propio en $home ..." "Making a private PostgreSQL in $home ...")"
	rm -rf "$home/data"
	user_folder "$home/data"
	(cd "$home" && "${as_user[@]}" "$pg_bin/initdb" -D "$home/data" -U demo_admin -A peer \
		-E UTF8 --locale=C.UTF-8) >"$home/run.log" 2>&1 ||
		die_of "$home/run.log" "$(tell "falló el initdb de PostgreSQL" "PostgreSQL's initdb failed")"
	"${as_user[@]}" tee -a "$home/data/postgresql.conf" >/dev/null <<-END
		listen_addresses = ''
		unix_socket_permissions = 0700
		max_connections = 60
		log_min_messages = warning
	END
	"${as_user[@]}" touch "$home/data/complete"
}

# spawn SIGNAL LOG CMD...: in a session of its own, so that Ctrl-C reaches this script alone, which
# ends things in their order; SIGNAL comes if even this script is killed.
spawn()
{
	local signal=$1 log=$2

	shift 2
	rm -f "$log"
	(cd "$home" && exec setsid "${as_user[@]}" setpriv --pdeathsig "$signal" "$@") \
		>"$log" 2>&1 </dev/null {lock}>&- &
	spawned=$!
}

start_postgres()
{
	local tries=0

	allow_users
	spawn INT "$home/postgres.log" "$pg_bin/postgres" -D "$home/data" -k "$home/socket"
	pg_pid=$spawned
	until "$pg_bin/pg_isready" -q -h "$home/socket" -U demo_admin -d postgres; do
		tries=$((tries + 1))
		kill -0 "$pg_pid" 2>/dev/null && [ "$tries" -lt 300 ] ||
			die_of "$home/postgres.log" "$(tell "el PostgreSQL propio no arrancó" "the private PostgreSQL did not start")"
		sleep 0.1
	done
}

make_database()
{
	[ "$(demo_psql -d postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ] ||
		demo_psql -d postgres -c "CREATE DATABASE $1 ${2:+OWNER $2}"
}

prepare_store()
{
	demo_psql -d postgres -f - <"$sql/roles.sql"
	make_database proalto proalto_owner
	migrate_store
}

# The core's dates follow from today: yesterday's core is made again, which takes seconds.
load_core()
{
	local loaded today core=(-d core_demo)

	make_database core_demo
	today=$(TZ=America/Bogota date +%F)
	loaded=$(demo_psql "${core[@]}" -c 'SELECT fecha_proceso FROM core_demo.core_info' 2>/dev/null ||
		true)
	[ "$loaded" = "$today" ] && [ -s "$home/customers.json" ] && return
	say "$(tell "Cargando el núcleo sintético: unos 6.000 clientes inventados ..." \
		"Loading the synthetic core: some 6,000 invented customers ...")"
	demo_psql "${core[@]}" -v today="$today" -f "$sql/demo/load.sql"
	demo_psql "${core[@]}" -c "SELECT json_agg(json_build_object('label', label, 'document',
		document, 'mobile', mobile, 'try', what_to_try)) FROM core_demo.demo_customer" \
		>"$home/customers.json"
}

# ---- proaltod --------------------------------------------------------------------------------------

migrate_store()
{
	"$proaltoctl" db migrate --directory "$sql/migrations" \
		--dsn "host=$home/socket dbname=proalto user=proalto_owner" >"$home/run.log" 2>&1 ||
		die_of "$home/run.log" "$(tell "no se pudieron crear las tablas" "the store's tables could not be made")"
}

start_daemon()
{
	local tries=0

	spawn TERM "$home/proaltod.log" "$proaltod" --config "$home/proalto.conf"
	daemon_pid=$spawned
	until is_listening; do
		tries=$((tries + 1))
		kill -0 "$daemon_pid" 2>/dev/null && [ "$tries" -lt 300 ] ||
			die_of "$home/proaltod.log" "$(tell "proaltod no arrancó" "proaltod did not start")"
		sleep 0.1
	done
}

# ---- the end ---------------------------------------------------------------------------------------

# end_process PID SIGNAL: and harder after ten seconds.
end_process()
{
	local tries=0

	[ -n "$1" ] && kill -"$2" "$1" 2>/dev/null || return 0
	while kill -0 "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || kill -KILL "$1" 2>/dev/null
		sleep 0.1
	done
}

end_all()
{
	trap '' INT TERM HUP
	at_end
	end_process "$daemon_pid" TERM
	end_process "$pg_pid" INT
}

# Until somebody interrupts it.
serve()
{
	write_configuration
	make_cluster
	start_postgres
	prepare_store
	load_core
	start_daemon
	say "" "$(tell "El asistente contesta en" "The assistant answers at")  http://127.0.0.1:$PORT/" "" \
		"$(tell "Ctrl-C lo termina." "Ctrl-C ends it.")"
	wait -n "$pg_pid" "$daemon_pid" || true
	die_of "$home/proaltod.log" "$(tell "proaltod o su PostgreSQL terminó por sí mismo" \
		"proaltod or its PostgreSQL ended by itself")"
}

end_well()
{
	trap end_all EXIT
	trap 'say; exit 130' INT
	trap 'exit 143' TERM HUP
}
