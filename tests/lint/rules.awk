# The house rules that a reader of lines can check:
#
#	awk -f tests/lint/rules.awk FILES
#
# Layers (who may include whom), foreign libraries (each in its own file of daemon/io), calls that are
# banned, logging below the domains, SQL text in C, length of functions and files. Prints
# "file:line: what" and fails if there is anything to print. Wants nothing but POSIX awk; comments and
# strings are blanked before a line is looked at, as far as a line reader can.

BEGIN {
	max_function = 120
	max_file = 700
	max_depth = 5 # the function's own braces and four more

	# Foreign headers and the files that may include them.
	foreign["libconfig.h"] = "^daemon/io/conf\\.c$"
	foreign["libpq-fe.h"] = "^daemon/io/(db|migrate)[a-z_]*\\.[ch]$"
	foreign["microhttpd.h"] = "^daemon/io/http_(server|request|response)\\.c$"
	foreign["gnutls/gnutls.h"] = foreign["gnutls/x509.h"] = foreign["gnutls/abstract.h"] = \
		"^daemon/io/tls\\.c$"
	foreign["curl/curl.h"] = "^daemon/io/http_(client|url|way)\\.c$"
	foreign["systemd/sd-journal.h"] = "^daemon/io/log\\.c$"
	foreign["systemd/sd-event.h"] = "^daemon/io/loop\\.c$"
	foreign["systemd/sd-daemon.h"] = "^daemon/io/loop\\.c$"
	foreign["jansson.h"] = "^daemon/io/json\\.c$"
	foreign["sodium.h"] = "^daemon/io/crypto\\.c$"
	foreign["utf8proc.h"] = "^daemon/io/unicode\\.c$"
	foreign["magic.h"] = "^daemon/inspect/inspect\\.c$"
	foreign["turbojpeg.h"] = "^daemon/inspect/jpeg\\.c$"
	foreign["png.h"] = "^daemon/inspect/png\\.c$"
	foreign["qpdf/qpdf-c.h"] = "^daemon/inspect/pdf\\.c$"
	foreign["seccomp.h"] = "^daemon/inspect/sandbox\\.c$"
	foreign["dlfcn.h"] = "^daemon/host/load\\.c$"

	banned = "(^|[^a-zA-Z0-9_])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|gets|setlocale|alloca|system|popen)[ \t]*\\("
	# Nobody ends another's thread or jumps out of a fault: what it held is left in an unknown state.
	unsafe = "(^|[^a-zA-Z0-9_])(pthread_cancel|pthread_kill|pthread_setcancel(state|type)|(sig|_)?(set|long)jmp)[ \t]*\\("
	prints = "(^|[^a-zA-Z0-9_])(printf|fprintf|vprintf|vfprintf|puts|fputs|perror)[ \t]*\\("
	sql = "\"[ \t]*(SELECT |INSERT INTO |UPDATE [a-z_.]+ SET|DELETE FROM |CREATE (TABLE|INDEX|FUNCTION)|ALTER TABLE|DROP )"
}

function complain(line, what)
{
	printf "%s:%d: %s\n", FILENAME, line, what
	failed = 1
}

# base 0, io 1, domains 2, edge and ctl 3, the top 4.
function rank(path)
{
	if (path !~ /\//)
		return 4
	sub(/\/.*/, "", path)
	if (path == "base")
		return 0
	if (path == "io")
		return 1
	return path == "edge" || path == "ctl" ? 3 : 2
}

function room(path)
{
	return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : ""
}

function check_daemon_include(header,    own)
{
	own = FILENAME
	sub(/^daemon\//, "", own)
	if (header == "sql_statements.h" || header == "schema_range.h")
		return
	if (rank(header) > rank(own))
		complain(FNR, "\"" header "\" is above this room")
	if (rank(header) == 3 && rank(own) == 3 && room(header) != room(own))
		complain(FNR, "\"" header "\": edge and ctl don't know each other")
	if (header == "io/log.h" && rank(own) < 2 && own !~ /^io\/log\.c$/)
		complain(FNR, "base and io never log: whoever handles the error does")
	if (header ~ /internal\.h$/ && room(header) != room(own))
		complain(FNR, "\"" header "\" is another room's own")
}

function check_plugin_include(header)
{
	if (header ~ /^(base|io|host|config|core|queue|gate|flow|consent|identity|evidence|edge|ctl|metrics|inspect|media)\// ||
	    header ~ /\.\./)
		complain(FNR, "a plugin sees plugins/include only, not \"" header "\"")
}

function check_include(line,    header)
{
	header = line
	sub(/^#[ \t]*include[ \t]*[<"]/, "", header)
	sub(/[>"].*/, "", header)
	if (line ~ /"/ && is_daemon)
		check_daemon_include(header)
	if (line ~ /"/ && is_plugin)
		check_plugin_include(header)
	if (is_daemon && header in foreign && FILENAME !~ foreign[header])
		complain(FNR, "<" header "> belongs in one file of daemon/io")
	if (is_daemon && header ~ /^openssl\// && FILENAME !~ /^daemon\/io\/(crypto|certificate)\.c$/)
		complain(FNR, "<" header "> belongs in daemon/io/crypto.c or certificate.c")
}

# Without comments; strings stay for the SQL rule.
function without_comments(line)
{
	if (in_comment) {
		if (!sub(/^.*\*\//, "", line))
			return ""
		in_comment = 0
	}
	gsub(/\/\*([^*]|\*[^\/])*\*\//, " ", line)
	if (line !~ /"[^"]*\/\*[^"]*"/ && sub(/\/\*.*/, "", line))
		in_comment = 1
	if (line !~ /"[^"]*\/\/[^"]*"/)
		sub(/\/\/.*/, "", line)
	return line
}

function without_strings(line)
{
	gsub(/\\\\/, "", line)
	gsub(/\\"/, "", line)
	gsub(/"[^"]*"/, "\"\"", line)
	gsub(/'(\\.|[^'\\])+'/, "' '", line)
	return line
}

function check_calls(line)
{
	if (line ~ banned && line !~ /^[a-z].*[;{]?$/)
		complain(FNR, "a banned call")
	if (line ~ unsafe)
		complain(FNR, "threads are never killed, faults never survived")
	# arena.c says why it aborts, log.c is the one that prints
	if (FILENAME ~ /^daemon\/(base|io)\// && FILENAME !~ /\/(arena|log)\.c$/ && line ~ prints)
		complain(FNR, "base and io never print")
}

function count_braces(line,    opened, closed)
{
	opened = gsub(/{/, "", line)
	closed = gsub(/}/, "", line)
	depth += opened
	# rows of test data nest as they like
	if (depth > max_depth && opened > closed && FILENAME !~ /^tests\//)
		complain(FNR, "nested too deeply")
	depth -= closed
}

function end_file()
{
	# Tests are lists and may be long.
	if (name != "" && is_code && name !~ /^tests\// && lines > max_file) {
		printf "%s: %d lines, %d at most\n", name, lines, max_file
		failed = 1
	}
}

FNR == 1 {
	end_file()
	name = FILENAME
	is_daemon = FILENAME ~ /^daemon\//
	is_plugin = FILENAME ~ /^plugins\// && FILENAME !~ /^plugins\/include\//
	is_code = 1
	in_comment = depth = began = 0
}

{
	lines = FNR
	if ($0 ~ /^#[ \t]*include/)
		check_include($0)
	text = without_comments($0)
	# A backend's session settings are its own; the store's statements are not.
	if (is_daemon && text ~ sql)
		complain(FNR, "SQL text belongs in sql/queries")
	text = without_strings(text)
	if (is_daemon || is_plugin)
		check_calls(text)
	if ($0 ~ /^{/) {
		began = FNR
		depth = 0
	}
	if (began)
		count_braces(text)
	if ($0 ~ /^}/ && began) {
		if (FNR - began - 1 > max_function)
			complain(began, "a function of " (FNR - began - 1) " lines, " max_function " at most")
		began = 0
	}
}

END {
	end_file()
	exit failed
}
