# test_ctl runs the program itself.
$(B)/tests/unit/test_ctl: | $(B)/proaltoctl
