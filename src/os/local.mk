libcore_la_SOURCES += \
	src/os/cgroup.c \
	src/os/cgroup.h \
	src/os/discard.c \
	src/os/info.c \
	src/os/info.h \
	src/os/mem.c \
	src/os/mem.h \
	src/os/pressure.c \
	src/os/pressure.h \
	src/os/rseq.c \
	src/os/rseq.h \
	src/os/thread.c \
	src/os/thread.h
