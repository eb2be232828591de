# proalto.service -> proalto@.service: instance NAME reads /etc/proalto-NAME.conf (whose control.socket
# must be /run/proalto-NAME/control.sock) and the credentials proalto-NAME.*, under the same names.
s|^# proaltod under systemd.*|# One of several daemons on a machine: systemctl enable --now proalto@NAME. Made from proalto.service.|
s|^Description=.*|& (%i)|
s|/etc/proalto\.conf|/etc/proalto-%i.conf|
s|^RuntimeDirectory=proalto$|RuntimeDirectory=proalto-%i|
s|^\(LoadCredentialEncrypted=proalto\)\.\(.*\)|\1.\2:proalto-%i.\2|
/^# The door/,/^Wants=proalto.socket/d
