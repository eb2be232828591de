# Makes C of the statements in sql/queries/*.sql:
#
#	awk -v out=build/gen/sql_statements -f sql/embed.awk sql/queries/*.sql
#
# A statement begins with a head and ends before the next one:
#
#	-- name: inbox_insert
#	-- Stores what came in.                  (purpose: at least one line)
#	-- $1 id, $2 body; returns id
#	INSERT INTO ...
#
# Writes out.h (enum sql, struct sql_statement) and out.c. Comment lines do not reach the C text.
# Wants nothing but POSIX awk.

function fail(line, what)
{
	printf "%s:%d: %s\n", file, line, what >"/dev/stderr"
	failed = 1
}

# The statement read so far is complete.
function finish()
{
	if (!open)
		return
	open = 0
	if (!has_purpose)
		fail(head_line, "statement " names[count] " has no purpose below its head")
	if (texts[count] == "")
		fail(head_line, "statement " names[count] " is empty")
}

# The highest $n of a line.
function count_params(line,    n)
{
	while (match(line, /\$[0-9]+/)) {
		n = substr(line, RSTART + 1, RLENGTH - 1) + 0
		if (n > params[count])
			params[count] = n
		line = substr(line, RSTART + RLENGTH)
	}
}

function begin_statement(name)
{
	if (name !~ /^[a-z][a-z0-9_]*$/ || length(name) > 63)
		fail(FNR, "a name is lower case letters, digits and _, 63 at most: " name)
	if (name in seen)
		fail(FNR, "statement " name " stands already in " seen[name])
	names[++count] = name
	seen[name] = file ":" FNR
	sets[count] = set
	params[count] = 0
	texts[count] = ""
	head_line = FNR
	open = 1
	has_purpose = 0
}

function c_string(line)
{
	gsub(/\\/, "&&", line)
	gsub(/"/, "\\\"", line)
	gsub(/\t/, " ", line)
	return "\"" line "\\n\""
}

BEGIN {
	if (ARGC < 2) { # without files awk would read standard input
		ARGV[1] = "/dev/null"
		ARGC = 2
	}
}

FNR == 1 {
	finish()
	file = FILENAME
	set = FILENAME
	sub(/.*\//, "", set)
	sub(/\.sql$/, "", set)
}

{ sub(/\r$/, "") }

/^-- name:/ {
	finish()
	name = $0
	sub(/^-- name:[ \t]*/, "", name)
	sub(/[ \t]+$/, "", name)
	begin_statement(name)
	next
}

/^[ \t]*--/ {
	if (open && texts[count] == "" && $0 ~ /^-- *[^ \t$-]/)
		has_purpose = 1
	next
}

/^[ \t]*$/ { next }

!open {
	fail(FNR, "SQL before the first head (-- name: ...)")
	next
}

{
	count_params($0)
	texts[count] = texts[count] "\n\t  " c_string($0)
}

END {
	if (NR)
		finish()
	if (failed)
		exit 1
	header = out ".h"
	source = out ".c"
	print "/* Made of sql/queries by sql/embed.awk. */" >header
	print "#ifndef SQL_STATEMENTS_H\n#define SQL_STATEMENTS_H\n" >header
	print "enum sql {" >header
	for (i = 1; i <= count; i++)
		print "\tSQL_" toupper(names[i]) "," >header
	print "\tSQL_COUNT\n};\n" >header
	print "struct sql_statement {" >header
	print "\tconst char *name; /* of its head; also that of the prepared statement */" >header
	print "\tconst char *set;  /* its file without .sql */" >header
	print "\tconst char *text;" >header
	print "\tint params; /* the highest $n */" >header
	print "};\n" >header
	# One more than there are, so that the array exists when there are none.
	print "extern const struct sql_statement sql_statements[SQL_COUNT + 1];\n" >header
	print "#endif" >header

	print "/* Made of sql/queries by sql/embed.awk. */" >source
	base = out
	sub(/.*\//, "", base)
	print "#include \"" base ".h\"\n\n#include <stddef.h>\n" >source
	print "const struct sql_statement sql_statements[SQL_COUNT + 1] = {" >source
	for (i = 1; i <= count; i++)
		printf "\t{\"%s\", \"%s\",%s,\n\t %d},\n", names[i], sets[i], texts[i], params[i] >source
	print "\t{NULL, NULL, NULL, 0},\n};" >source
}
