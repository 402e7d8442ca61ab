// SPDX-License-Identifier: MIT
// A C++ extension whose libstdc++ nobody knew of when the program started: what
// new does when there is no memory. Loaded by cxx-late.c, driven by cxx-late.sh.
#include <cstddef>
#include <cstdio>
#include <new>
#include <vector>

namespace {

volatile std::size_t too_large = std::size_t{ 1 } << 60;
int handler_calls;

void give_up()
{
	handler_calls++;
	throw std::bad_alloc();
}

void give_up_later()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

template <class Code> void try_it(const char *what, Code code)
{
	handler_calls = 0;
	try {
		std::printf("%s: %s", what, code() ? "memory" : "null");
	} catch (const std::bad_alloc &) {
		std::printf("%s: bad_alloc", what);
	}
	std::printf(", %d calls of the handler\n", handler_calls);
}

void try_all(const char *handler)
{
	std::printf("%s\n", handler);
	try_it("new", [] { return ::operator new(too_large); });
	try_it("new[]", [] { return ::operator new[](too_large); });
	try_it("aligned new", [] { return ::operator new(too_large, std::align_val_t{ 64 }); });
}

} // namespace

extern "C" int run()
{
	try_all("no handler");
	std::set_new_handler(give_up);
	try_all("a handler that throws");
	std::set_new_handler(give_up_later);
	try_all("a handler that gives up later");
	std::set_new_handler(give_up);
	try {
		if (::operator new(too_large, std::nothrow))
			return 3;
	} catch (...) {
		std::puts("nothrow new lets the handler's exception out");
		return 3;
	}
	std::vector<int> works(100000, 1);
	return works[99999] != 1;
}
