# proalto.conf.5.in and what `proaltod --options` prints -> proalto.conf.5:
#
#	proaltod --options | awk -f keys.awk - proalto.conf.5.in
#
# A key is "name: type; default ...", its meaning the indented line below; a line that ends with a
# colon begins another list.
function escaped(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/"/, "\\(dq", text)
	gsub(/\. /, ".\n", text) # a sentence, a line
	return text
}

function add(line)
{
	keys = keys line "\n"
}

function begin_list()
{
	add(".Bl -tag -width Ds")
	is_open = 1
}

function end_list()
{
	if (is_open)
		add(".El")
	is_open = 0
}

NR == FNR && /^    / { add(".br\n" escaped(substr($0, 5))); next }
NR == FNR && /^[a-z_.]+: / {
	if (!is_open)
		begin_list()
	name = substr($0, 1, index($0, ":") - 1)
	add(".It Cm " name "\n" escaped(substr($0, length(name) + 3)))
	next
}
NR == FNR && /:$/ { end_list(); add(".Ss " escaped(substr($0, 1, length($0) - 1))); next }
NR == FNR { next }
/^@KEYS@$/ { end_list(); printf "%s", keys; next }
{ print }
