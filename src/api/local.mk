libapi_la_SOURCES += \
	src/api/cache.c \
	src/api/kmalloc.c \
	src/api/mempool.c \
	src/api/nolock.c \
	src/api/pages.c \
	src/api/reclaim.c \
	src/api/sheaf.c
