// SPDX-License-Identifier: MIT
// For g++ to compile: templates over types and numbers, and much of the standard library.
#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace {

// A type of its own for each N, so that nothing below is made only once.
template <int N> struct key {
	std::string name;
	int number = N;

	bool operator<(const key &other) const
	{
		return std::tie(number, name) < std::tie(other.number, other.name);
	}
	bool operator==(const key &other) const { return name == other.name; }
};

template <int N> struct hash_of_key {
	size_t operator()(const key<N> &k) const { return std::hash<std::string>()(k.name) * (N + 1); }
};

template <int N> using value = std::variant<int, std::string, std::vector<key<N>>, std::optional<key<N>>>;

template <int N> class shop {
public:
	void add(const std::string &name, value<N> thing)
	{
		sorted[{ name }] = thing;
		hashed[{ name }].push_back(std::make_shared<value<N>>(std::move(thing)));
		order.push_back({ name });
	}

	size_t weigh() const
	{
		size_t sum = 0;

		for (const auto &entry : sorted)
			sum += std::visit([&entry](const auto &it) -> size_t {
				using type = std::decay_t<decltype(it)>;
				if constexpr (std::is_same_v<type, int>)
					return it;
				else if constexpr (std::is_same_v<type, std::optional<key<N>>>)
					return it ? it->name.size() : 0;
				else
					return it.size() + entry.first.name.size();
			}, entry.second);
		return sum;
	}

	std::string all()
	{
		std::ostringstream out;

		std::sort(order.begin(), order.end());
		std::stable_sort(order.begin(), order.end(),
				 [](const auto &a, const auto &b) { return a.name.size() < b.name.size(); });
		for (const auto &k : order)
			out << k.name << '/' << hashed[k].size() << ' ';
		std::for_each(hashed.begin(), hashed.end(), [&](auto &entry) {
			entry.second.sort([](const auto &a, const auto &b) { return a->index() < b->index(); });
		});
		return out.str();
	}

private:
	std::map<key<N>, value<N>> sorted;
	std::unordered_map<key<N>, std::list<std::shared_ptr<value<N>>>, hash_of_key<N>> hashed;
	std::deque<key<N>> order;
};

template <int N> size_t work()
{
	std::vector<std::function<size_t(int)>> steps = {
		[](int i) { return std::to_string(i * N).size(); },
		[](int i) { return std::array<int, N + 1>().size() + i; },
		[](int i) { return std::make_unique<key<N>>(key<N>{ "a", i })->name.size(); },
	};
	shop<N> here;

	for (int i = 0; i < N; i++) {
		here.add("int", i);
		here.add("text " + std::to_string(i), std::string(i, 'x'));
		here.add("list", std::vector<key<N>>(i));
		here.add("maybe", std::optional<key<N>>(key<N>{ "b", i }));
	}
	return std::accumulate(steps.begin(), steps.end(), here.weigh() + here.all().size(),
			       [](size_t sum, auto &step) { return sum + step(N); });
}

template <int... N> size_t each(std::integer_sequence<int, N...>)
{
	return (work<N>() + ...);
}

}

size_t templates()
{
	return each(std::make_integer_sequence<int, 2>());
}
