libapi_la_SOURCES += \
	src/api/cache.c \
	src/api/kmalloc.c \
	src/api/mempool.c \
	src/api/nolock.c \
	src/api/page_free.c \
	src/api/page_lookup.c \
	src/api/pages.c \
	src/api/pages.h \
	src/api/reclaim.c \
	src/api/reclaim.h \
	src/api/sheaf.c \
	src/api/shrinker.c \
	src/api/shrinker.h
manual_pages = \
	src/api/alloc_pages.3 \
	src/api/kmalloc.3 \
	src/api/kmem_cache_create.3 \
	src/api/mempool_create.3 \
	src/api/shrinker_alloc.3 \
	src/api/slabuddy_move.3 \
	src/api/slabuddy_slabinfo.3

libapi_la_SOURCES += src/api/rcu.h
if HAVE_URCU
libapi_la_SOURCES += src/api/rcu.c
else
libapi_la_SOURCES += src/api/no_rcu.c
endif
