libcore_la_SOURCES += \
	src/malloc/api.c \
	src/malloc/at_exit.c \
	src/malloc/audit.c \
	src/malloc/audit.h \
	src/malloc/foreign.c \
	src/malloc/foreign.h \
	src/malloc/heap.c \
	src/malloc/heap.h \
	src/malloc/huge.c \
	src/malloc/huge.h \
	src/malloc/info.c \
	src/malloc/info.h \
	src/malloc/kswapd.c \
	src/malloc/kswapd.h \
	src/malloc/large.c \
	src/malloc/large.h \
	src/malloc/make_room.c \
	src/malloc/make_room.h \
	src/malloc/nolock.c \
	src/malloc/nolock.h \
	src/malloc/report.c \
	src/malloc/root.c \
	src/malloc/size_class.c \
	src/malloc/size_class.h
