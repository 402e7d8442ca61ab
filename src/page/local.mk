libcore_la_SOURCES += \
	src/page/head.c \
	src/page/limit.c \
	src/page/limit.h \
	src/page/meta.c \
	src/page/meta.h \
	src/page/page.h \
	src/page/rows.c \
	src/page/rows.h \
	src/page/section.c \
	src/page/section.h
