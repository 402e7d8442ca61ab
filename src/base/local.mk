libcore_la_SOURCES += \
	src/base/audit.c \
	src/base/audit.h \
	src/base/bits.c \
	src/base/bits.h \
	src/base/check.c \
	src/base/check.h \
	src/base/compiler.h \
	src/base/fault.c \
	src/base/fault.h \
	src/base/event.c \
	src/base/event.h \
	src/base/list.h \
	src/base/lock.c \
	src/base/lock.h \
	src/base/option.c \
	src/base/option.h \
	src/base/procfs.c \
	src/base/procfs.h \
	src/base/slab_debug.c \
	src/base/slab_debug.h \
	src/base/snapshot.h \
	src/base/stack.c \
	src/base/stack.h \
	src/base/text.c \
	src/base/text.h \
	src/base/vm_event.c \
	src/base/vm_event.h
