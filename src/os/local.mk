libcore_la_SOURCES += \
	src/os/info.c \
	src/os/info.h \
	src/os/mem.c \
	src/os/mem.h \
	src/os/rseq.c \
	src/os/rseq.h
