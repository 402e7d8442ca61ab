libcore_la_SOURCES += \
	src/buddy/free_area.c \
	src/buddy/free_area.h \
	src/buddy/gfp.h \
	src/buddy/grow.c \
	src/buddy/grow.h \
	src/buddy/join.c \
	src/buddy/join.h \
	src/buddy/migrate.c \
	src/buddy/migrate.h \
	src/buddy/page_alloc.c \
	src/buddy/page_alloc.h \
	src/buddy/page_sheaf.c \
	src/buddy/page_sheaf.h \
	src/buddy/pcp.c \
	src/buddy/pcp.h \
	src/buddy/purge.c \
	src/buddy/purge.h \
	src/buddy/run.c \
	src/buddy/run.h \
	src/buddy/run_sheaf.c \
	src/buddy/run_sheaf.h \
	src/buddy/snapshot.c \
	src/buddy/snapshot.h \
	src/buddy/validate.c \
	src/buddy/zone.c \
	src/buddy/zone.h
