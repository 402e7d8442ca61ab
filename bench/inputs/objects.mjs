// SPDX-License-Identifier: MIT
// Objects, strings, maps, buffers and compression in node: what V8 does not keep in its own heap (buffers,
// zlib, parsing, compiled code) is malloc's.
import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';

let state = 20;
const random = (limit) => {
	state = (state * 16807) % 2147483647;
	return state % limit;
};

function records(count) {
	const table = new Map();
	for (let i = 0; i < count; i++) {
		table.set(`record-${i}`, {
			id: i,
			name: 'n'.repeat(1 + random(60)),
			tags: Array.from({ length: random(6) }, () => `tag${random(1000)}`),
			position: [random(1e6) / 7, random(1e6) / 3],
		});
	}
	return table;
}

// Each buffer is a block of malloc's; one in ten is kept for a while.
function buffers(count) {
	const kept = [];
	let sum = 0;
	for (let i = 0; i < count; i++) {
		const buffer = Buffer.alloc(4200 + random(20000), i & 255);
		sum += buffer[random(4200)];
		if (i % 10 === 0)
			kept[random(400)] = buffer;
	}
	return sum;
}

function compressed(table) {
	const hash = createHash('sha256');
	let sum = 0;
	for (let i = 0; i < 60; i++) {
		const some = [...table.values()].slice(i * 500, i * 500 + 1500);
		const text = JSON.stringify(some);
		const packed = deflateSync(text, { level: 3 });
		sum += packed.length;
		sum += JSON.parse(inflateSync(packed).toString()).length;
		hash.update(packed);
	}
	return hash.digest('hex') + sum;
}

// Each is compiled anew.
function functions(count) {
	let sum = 0;
	for (let i = 0; i < count; i++)
		sum += new Function('x', `const y = { a${i}: x }; return y.a${i} * ${i} + "${i}".length;`)(i);
	return sum;
}

const table = records(100000);
console.log(buffers(60000), compressed(table), functions(4000), table.size);
