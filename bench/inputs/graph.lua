-- SPDX-License-Identifier: MIT
-- Tables, closures and strings: each is a block of its own, and what grows is realloc'd.
local state = 20
local function any(limit)
	state = state * 16807 % 2147483647
	return state % limit + 1
end

local function graph(count)
	local nodes = {}
	for i = 1, count do
		local node = { name = "node " .. i, edges = {}, value = any(1000) }
		for _ = 1, any(4) do
			node.edges[#node.edges + 1] = nodes[any(#nodes + 1)]
		end
		node.sum = function(self)
			local sum = self.value
			for _, other in ipairs(self.edges) do sum = sum + other.value end
			return sum
		end
		nodes[#nodes + 1] = node
	end
	return nodes
end

local function text(nodes)
	local parts = {}
	for i, node in ipairs(nodes) do
		parts[i] = string.format("%s=%d;", node.name:upper(), node:sum())
	end
	return table.concat(parts)
end

local length, words = 0, {}
for round = 1, 5 do
	local nodes = graph(60000)
	local all = text(nodes)
	length = length + #all
	for word in all:gmatch("NODE (%d+)") do words[word] = (words[word] or 0) + round end
end
local keys = {}
for word in pairs(words) do keys[#keys + 1] = word end
table.sort(keys)
print(length, #keys, keys[any(#keys)])
