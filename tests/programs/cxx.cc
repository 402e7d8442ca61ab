// SPDX-License-Identifier: MIT
// What C++ programs ask of an allocator, with a fixed output: all forms of
// operator new and delete, over-aligned types, containers on threads, pmr,
// exceptions thrown across threads, bad_alloc, the new handler. Driven by
// cxx.sh; with the argument "exhaust" it uses up its address space instead.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

// clang declares these only with -fsized-deallocation; the library has them.
void operator delete(void *, std::size_t) noexcept;
void operator delete[](void *, std::size_t) noexcept;
void operator delete(void *, std::size_t, std::align_val_t) noexcept;
void operator delete[](void *, std::size_t, std::align_val_t) noexcept;

namespace {

void require(bool fine, const char *what)
{
	if (!fine) {
		std::printf("FAULT: %s\n", what);
		std::exit(1);
	}
}

// The compiler may leave out a new that is deleted again; not past this.
template <class T> T *opaque(T *pointer)
{
	asm volatile("" : "+r"(pointer) : : "memory");
	return pointer;
}

template <std::size_t Align> struct alignas(Align) aligned {
	unsigned char body[Align];
};

template <std::size_t Align> void over_aligned()
{
	std::vector<std::unique_ptr<aligned<Align>>> held;
	for (int i = 0; i < 200; i++) {
		held.push_back(std::make_unique<aligned<Align>>());
		auto at = reinterpret_cast<std::uintptr_t>(opaque(held.back().get()));
		require(at % Align == 0, "over-aligned new is misaligned");
		std::memset(held.back()->body, i, Align);
		if (i % 3 == 0)
			held.erase(held.begin() + i % held.size());
	}
	for (auto &one : held)
		for (unsigned char c : one->body)
			require(c == one->body[0], "over-aligned objects overlap");
	// An array of them: the aligned forms of new[] and sized delete[].
	auto *array = opaque(new aligned<Align>[7]);
	require(reinterpret_cast<std::uintptr_t>(array) % Align == 0,
		"over-aligned new[] is misaligned");
	delete[] array;
}

// Each function by its own name and signature, as objects in other languages
// and older compilers call them.
void every_operator()
{
	for (std::size_t n : { 0, 1, 8, 16, 17, 100, 1000, 4096, 5000, 40000, 300000, 3000000 }) {
		std::align_val_t align{ 64 };
		void *p[8];

		p[0] = ::operator new(n);
		p[1] = ::operator new[](n);
		p[2] = ::operator new(n, std::nothrow);
		p[3] = ::operator new[](n, std::nothrow);
		p[4] = ::operator new(n, align);
		p[5] = ::operator new[](n, align);
		p[6] = ::operator new(n, align, std::nothrow);
		p[7] = ::operator new[](n, align, std::nothrow);
		for (int i = 0; i < 8; i++) {
			require(p[i] != nullptr, "new returns null");
			require(i < 4 || reinterpret_cast<std::uintptr_t>(p[i]) % 64 == 0,
				"aligned new is misaligned");
			std::memset(opaque(p[i]), i + 1, n);
		}
		for (int i = 0; i < 8; i++)
			for (std::size_t k = 0; k < n; k += 97)
				require(static_cast<char *>(p[i])[k] == i + 1, "news overlap");
		::operator delete(p[0]);
		::operator delete[](p[1], n);
		::operator delete(p[2], std::nothrow);
		::operator delete[](p[3], std::nothrow);
		::operator delete(p[4], n, align);
		::operator delete[](p[5], align);
		::operator delete(p[6], align, std::nothrow);
		::operator delete[](p[7], n, align);

		::operator delete(::operator new(n), n);
		::operator delete[](::operator new[](n));
	}
	::operator delete(nullptr);
	::operator delete[](nullptr);
	::operator delete(nullptr, std::size_t{ 8 });
	::operator delete(nullptr, std::align_val_t{ 64 });
	std::puts("every operator: fine");
}

// Distinct non-null pointers for new of nothing.
void empty_news()
{
	std::vector<char *> empty;
	for (int i = 0; i < 1000; i++)
		empty.push_back(opaque(new char[0]));
	std::sort(empty.begin(), empty.end());
	require(std::adjacent_find(empty.begin(), empty.end()) == empty.end(),
		"two empty objects at one address");
	for (char *one : empty)
		delete[] one;
	std::puts("empty new: fine");
}

int handler_calls;
void *spare;

void give_up_spare()
{
	handler_calls++;
	if (spare) {
		std::free(spare);
		spare = nullptr;
	} else {
		throw std::bad_alloc();
	}
}

void bad_alloc_and_handler()
{
	// volatile, so that the compiler does not object at build time.
	volatile std::size_t too_large = PTRDIFF_MAX / 2;
	int caught = 0;

	try {
		opaque(static_cast<char *>(::operator new(too_large)));
	} catch (const std::bad_alloc &) {
		caught++;
	}
	try {
		opaque(static_cast<char *>(::operator new(too_large, std::align_val_t{ 4096 })));
	} catch (const std::bad_alloc &) {
		caught++;
	}
	try {
		volatile std::size_t count = SIZE_MAX / 8;
		opaque(new std::uint64_t[count]);
	} catch (const std::bad_array_new_length &) {
		caught++;
	} catch (const std::bad_alloc &) {
		caught++;
	}
	require(caught == 3, "a new too large for any machine succeeds");
	require(!::operator new(too_large, std::nothrow), "nothrow new does not return null");
	require(!::operator new[](too_large, std::align_val_t{ 64 }, std::nothrow),
		"aligned nothrow new does not return null");

	// The handler is called until it throws or memory turns up.
	spare = std::malloc(100);
	std::set_new_handler(give_up_spare);
	require(std::get_new_handler() == give_up_spare, "the handler is lost");
	bool thrown = false;
	try {
		opaque(static_cast<char *>(::operator new(too_large)));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	require(thrown && handler_calls == 2, "the new handler is not called in turn");
	require(!::operator new(too_large, std::nothrow),
		"nothrow new lets the handler's exception out");
	std::set_new_handler(nullptr);
	std::printf("bad_alloc: %d caught\n", caught);
}

std::string churn(unsigned seed, int rounds)
{
	std::mt19937 random(seed);
	std::map<std::string, std::vector<int>> ordered;
	std::unordered_map<int, std::string> hashed;
	std::list<std::shared_ptr<std::string>> shared;
	unsigned long sum = 0;

	for (int i = 0; i < rounds; i++) {
		int key = random() % 1000;
		switch (random() % 6) {
		case 0:
			ordered["key " + std::to_string(key)].assign(random() % 200, i);
			break;
		case 1:
			ordered.erase("key " + std::to_string(key));
			break;
		case 2:
			hashed[key] += std::string(random() % 100, static_cast<char>('a' + i % 26));
			if (hashed[key].size() > 3000)
				hashed[key].clear(), hashed[key].shrink_to_fit();
			break;
		case 3:
			hashed.erase(key);
			break;
		case 4:
			shared.push_back(std::make_shared<std::string>(random() % 5000, 'x'));
			break;
		default:
			if (shared.size() > 50)
				shared.pop_front();
		}
	}
	for (auto &[key, list] : ordered)
		for (int value : list)
			sum = sum * 31 + key.size() + value;
	for (int key = 0; key < 1000; key++)
		if (auto at = hashed.find(key); at != hashed.end())
			for (char c : at->second)
				sum = sum * 131 + c;
	for (auto &text : shared)
		sum += text->size();
	return std::to_string(sum);
}

// One side allocates, the other frees.
void hand_over()
{
	std::queue<std::unique_ptr<std::string>> queue;
	std::mutex lock;
	std::atomic<bool> done{ false };
	unsigned long received = 0;

	std::thread consumer([&] {
		for (;;) {
			std::unique_ptr<std::string> one;
			bool last = done.load();
			{
				std::lock_guard<std::mutex> guard(lock);
				if (!queue.empty()) {
					one = std::move(queue.front());
					queue.pop();
				}
			}
			if (one)
				received += one->size();
			else if (last)
				break;
			else
				std::this_thread::yield();
		}
	});
	for (int i = 0; i < 50000; i++) {
		auto one = std::make_unique<std::string>(i % 500, 'h');
		std::lock_guard<std::mutex> guard(lock);
		queue.push(std::move(one));
	}
	done = true;
	consumer.join();
	std::printf("hand over: %lu\n", received);
}

// Freed after main, by thread_local and static destructors.
struct at_exit {
	std::vector<std::string> kept;
	~at_exit()
	{
		kept.push_back(std::string(1000, 'e'));
		std::vector<std::string>(kept).swap(kept);
	}
};

thread_local at_exit per_thread;
at_exit per_process;

void threads()
{
	for (int wave = 0; wave < 3; wave++) {
		std::vector<std::thread> running;
		std::vector<std::string> results(6);
		for (int i = 0; i < 6; i++)
			running.emplace_back([&results, i, wave] {
				per_thread.kept.assign(100, "thread " + std::to_string(i));
				results[i] = churn(wave * 6 + i, 15000);
			});
		for (auto &one : running)
			one.join();
		for (auto &text : results)
			std::printf("thread: %s\n", text.c_str());
	}
	per_process.kept.assign(1000, std::string(100, 'p'));
}

void exceptions()
{
	int caught = 0;
	std::vector<std::future<std::string>> pending;

	for (int i = 0; i < 40; i++)
		pending.push_back(std::async(std::launch::async, [i]() -> std::string {
			std::string text(i * 100, 't');
			if (i % 3 == 0)
				throw std::runtime_error("thrown with " + std::to_string(text.size()));
			return text;
		}));
	std::size_t total = 0;
	for (auto &one : pending) {
		try {
			total += one.get().size();
		} catch (const std::exception &error) {
			caught++;
			total += std::strlen(error.what());
		}
	}
	// Nested ones, each of which allocates what it is thrown with.
	std::function<void(int)> nest = [&](int depth) {
		if (depth == 0)
			throw std::length_error("the innermost");
		try {
			nest(depth - 1);
		} catch (...) {
			std::throw_with_nested(std::runtime_error("level " + std::to_string(depth)));
		}
	};
	try {
		nest(50);
	} catch (const std::exception &error) {
		total += std::strlen(error.what());
	}
	std::printf("exceptions: %d caught, %zu\n", caught, total);
}

void pmr()
{
	std::pmr::synchronized_pool_resource pool;
	std::pmr::monotonic_buffer_resource buffer(1024, &pool);
	std::pmr::vector<std::pmr::string> list(&pool);
	std::pmr::map<int, std::pmr::string> ordered(&buffer);
	std::size_t total = 0;

	for (int i = 0; i < 3000; i++) {
		list.emplace_back(i % 300, 'p');
		ordered[i % 777] += "some text";
	}
	for (auto &text : list)
		total += text.size();
	for (auto &entry : ordered)
		total += entry.second.size();
	std::printf("pmr: %zu\n", total);
}

// C's own calls beside new, as libraries in C use them: a buffer that grows.
void c_buffer()
{
	std::size_t used = 0, room = 16;
	auto *text = static_cast<char *>(std::malloc(room));

	for (int i = 0; i < 20000; i++) {
		if (used + 24 > room) {
			room += 100 + room / 8;
			text = static_cast<char *>(std::realloc(text, room));
			require(text != nullptr, "realloc returns null");
		}
		used += std::snprintf(text + used, 24, "%d ", i);
	}
	std::size_t at = 0;
	for (int i = 0; i < 20000; i++) {
		char *end;
		require(std::strtol(text + at, &end, 10) == i, "realloc loses the contents");
		at = end + 1 - text;
	}
	std::printf("buffer: %zu\n", used);
	std::free(text);
}

// Runs into the limit that the caller set, several times over.
void exhaust()
{
	for (int round = 0; round < 3; round++) {
		std::list<std::vector<char>> held;
		bool thrown = false;
		for (int i = 0; i < 4000 && !thrown; i++) {
			try {
				held.emplace_back(1000000, static_cast<char>(i));
			} catch (const std::bad_alloc &) {
				thrown = true;
			}
		}
		require(thrown, "no bad_alloc at the limit");
		require(held.size() > 200, "bad_alloc far from the limit");
		// With what is left, small objects must still do.
		std::vector<std::string> small;
		held.pop_front();
		for (int i = 0; i < 1000; i++)
			small.push_back(std::string(50, 's'));
		for (auto &block : held)
			require(std::all_of(block.begin(), block.end(),
					    [&](char c) { return c == block[0]; }),
				"blocks overlap");
		std::printf("exhausted, round %d\n", round);
	}
}

}

int main(int argc, char **argv)
{
	// So that the last line of one that dies tells where.
	std::setvbuf(stdout, nullptr, _IOLBF, 0);
	if (argc > 1 && std::strcmp(argv[1], "exhaust") == 0) {
		exhaust();
		return 0;
	}
	every_operator();
	empty_news();
	over_aligned<32>();
	over_aligned<64>();
	over_aligned<256>();
	over_aligned<4096>();
	over_aligned<65536>();
	std::puts("over-aligned: fine");
	bad_alloc_and_handler();
	std::printf("churn: %s\n", churn(4711, 100000).c_str());
	threads();
	hand_over();
	exceptions();
	pmr();
	for (int i = 0; i < 5; i++)
		c_buffer();
	std::fprintf(stderr, "the C++ program is done\n");
	return 0;
}
