# Stand-ins for foreign systems, and the load generator: one program each.
PEERS := graph smsgw
PEER_PARTS := loop serve post faults
PEER_OBJ := $(PEER_PARTS:%=$(B)/obj/tests/peers/%.o)

$(B)/tests/peers/graph: $(patsubst %,$(B)/obj/tests/peers/graph%.o,_rules _media _status _control)

# The library once more, behind the object that needs it.
$(B)/tests/unit/test_graph_rules: $(B)/obj/tests/peers/graph_rules.o
$(B)/tests/unit/test_graph_rules: private LDLIBS = $(B)/libproaltod.a $(PKG_LIBS) -pthread -ldl -lm

.PHONY: peers
peers: $(PEERS:%=$(B)/tests/peers/%) $(B)/tests/bench/whatsapp_load

$(B)/tests/peers/%: $(B)/obj/tests/peers/%.o $(PEER_OBJ) $(B)/libproaltod.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(B)/libproaltod.a $(LDLIBS)

$(B)/tests/bench/whatsapp_load: $(patsubst %,$(B)/obj/tests/bench/%.o,whatsapp_load load_options \
	load_script load_report) $(PEER_OBJ) $(B)/libproaltod.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS_ALL) -pie $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(B)/libproaltod.a $(LDLIBS)
