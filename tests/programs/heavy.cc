// SPDX-License-Identifier: MIT
// Templates and the standard library, for g++ to chew on; with -DPROGRAM also
// a program with a fixed output. Driven by gcc.sh.
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

template <int N> struct fibonacci {
	static constexpr unsigned long value =
		fibonacci<N - 1>::value + fibonacci<N - 2>::value;
};
template <> struct fibonacci<0> { static constexpr unsigned long value = 0; };
template <> struct fibonacci<1> { static constexpr unsigned long value = 1; };

// One family of types an N: containers, variants, lambdas, hash tables.
template <int N> struct layer {
	using value = std::variant<int, std::string, std::vector<std::tuple<int, double>>>;

	std::map<std::string, value> ordered;
	std::unordered_map<int, std::shared_ptr<layer<N - 1>>> below;

	unsigned long fill()
	{
		for (int i = 0; i < N * 3; i++) {
			ordered["key " + std::to_string(i * 7 % (N + 1))] =
				std::vector<std::tuple<int, double>>(i, { i, i / 2.0 });
			below[i] = std::make_shared<layer<N - 1>>();
		}
		unsigned long sum = fibonacci<N * 3>::value;
		for (auto &entry : ordered)
			sum += std::visit([](auto &&x) -> unsigned long {
				using type = std::decay_t<decltype(x)>;
				if constexpr (std::is_same_v<type, int>)
					return x;
				else
					return x.size() * N;
			}, entry.second);
		for (auto &entry : below)
			sum = sum * 31 + entry.second->fill() % 1000;
		return sum;
	}
};

template <> struct layer<0> {
	unsigned long fill() { return 1; }
};

}

unsigned long heavy()
{
	std::vector<std::function<unsigned long()>> all = {
		[] { return layer<1>().fill(); }, [] { return layer<2>().fill(); },
		[] { return layer<3>().fill(); }, [] { return layer<4>().fill(); },
		[] { return layer<5>().fill(); },
	};
	unsigned long sum = 0;
	for (auto &f : all)
		sum = sum * 17 + f();

	std::ostringstream text;
	for (int i = 0; i < 500; i++)
		text << "item-" << i * i % 257 << ' ';
	std::string line = text.str();
	std::regex pattern("item-([0-9]+)5 ");
	for (std::sregex_iterator at(line.begin(), line.end(), pattern), end; at != end; ++at)
		sum += std::stoul((*at)[1].str());
	return sum;
}

#ifdef PROGRAM
int main()
{
	std::cout << heavy() << '\n';
	return 0;
}
#endif
