libcore_la_SOURCES += \
	src/slab/alloc.c \
	src/slab/alloc.h \
	src/slab/barn.c \
	src/slab/barn.h \
	src/slab/boot.c \
	src/slab/boot.h \
	src/slab/cache.c \
	src/slab/cache.h \
	src/slab/fast.h \
	src/slab/geometry.c \
	src/slab/geometry.h \
	src/slab/mark.h \
	src/slab/rcu.c \
	src/slab/rcu.h \
	src/slab/report.c \
	src/slab/report.h \
	src/slab/sheaf.c \
	src/slab/sheaf.h \
	src/slab/slab.c \
	src/slab/slab.h \
	src/slab/slot.c \
	src/slab/slot.h \
	src/slab/snapshot.c \
	src/slab/snapshot.h \
	src/slab/validate.c \
	src/slab/validate.h
