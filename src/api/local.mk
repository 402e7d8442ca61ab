libapi_la_SOURCES += \
	src/api/cache.c
