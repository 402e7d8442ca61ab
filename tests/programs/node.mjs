// SPDX-License-Identifier: MIT
// Allocation-heavy node with an output that depends on nothing but the heap
// keeping its contents. Driven by node.sh.
import { spawnSync, fork } from 'node:child_process';
import { createHash, pbkdf2, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createGunzip, createGzip, deflateSync, inflateSync } from 'node:zlib';

const self = fileURLToPath(import.meta.url);

function random(seed) {
	let state = seed;
	return (limit) => {
		state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
		return (state >>> 8) % limit;
	};
}

function digest(data) {
	return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

// Random replacement in a set of buffers, whose memory is malloc's.
function churn(seed, rounds) {
	const next = random(seed);
	const slots = new Array(400).fill(null);
	const hash = createHash('sha256');
	for (let i = 0; i < rounds; i++) {
		const at = next(slots.length);
		if (slots[at])
			hash.update(slots[at].subarray(0, 64));
		const kind = next(4);
		if (kind === 0)
			slots[at] = Buffer.alloc(next(100000), i & 255);
		else if (kind === 1)
			slots[at] = Buffer.allocUnsafeSlow(next(3000)).fill(i & 255);
		else if (kind === 2)
			slots[at] = deflateSync(Buffer.alloc(next(3000), 'abc' + i));
		else
			slots[at] = null;
	}
	for (const slot of slots)
		if (slot)
			hash.update(slot);
	return hash.digest('hex').slice(0, 16);
}

async function streams() {
	const blocks = [];
	for (let i = 0; i < 200; i++)
		blocks.push(Buffer.alloc(20000 + i * 31, 'block' + i));
	const hash = createHash('sha256');
	await pipeline(Readable.from(blocks), createGzip({ level: 1 }), createGunzip(),
		new Transform({
			transform(chunk, encoding, done) {
				hash.update(chunk);
				done();
			},
		}));
	return hash.digest('hex').slice(0, 16);
}

async function pool() {
	const derive = promisify(pbkdf2);
	const keys = await Promise.all(Array.from({ length: 12 },
		(_, i) => derive('secret' + i, 'salt', 2000, 64, 'sha512')));
	return digest(Buffer.concat(keys));
}

function json() {
	const list = [];
	for (let i = 0; i < 30000; i++)
		list.push({ id: i, name: 'name ' + i, tags: ['x' + i % 7, 'y' + i % 11] });
	const text = JSON.stringify(list);
	const back = JSON.parse(text).filter((x) => x.tags[0] === 'x3');
	const big = deflateSync(text, { level: 1 });
	return digest(inflateSync(big)) + ' ' + back.length;
}

async function main() {
	randomFillSync(Buffer.alloc(100000));
	console.log('churn', churn(1, 15000));
	console.log('streams', await streams());
	console.log('pool', await pool());
	console.log('json', json());

	// Workers come in two waves, so that the second starts on what the
	// first has left behind; their results move between threads.
	for (let wave = 0; wave < 2; wave++) {
		const workers = Array.from({ length: 4 },
			(_, i) => new Worker(self, { workerData: wave * 4 + i + 1 }));
		const answers = await Promise.all(workers.map((w) => once(w, 'message')));
		for (const [{ text, bytes }] of answers)
			console.log('worker', text, digest(Buffer.from(bytes)));
		await Promise.all(workers.map((w) => w.terminate()));
	}

	const child = fork(self, ['child']);
	const [answer] = await once(child, 'message');
	const [code] = await once(child, 'exit');
	console.log('child', answer, code);
	const echo = spawnSync('cat', { input: Buffer.alloc(300000, 'spawn') });
	console.log('spawn', echo.status, digest(echo.stdout));
	console.error('node is done');
}

if (!isMainThread) {
	const bytes = new ArrayBuffer(1000000 + workerData);
	new Uint8Array(bytes).fill(workerData);
	parentPort.postMessage({ text: churn(workerData, 4000), bytes }, [bytes]);
} else if (process.argv[2] === 'child') {
	process.send(churn(99, 3000), () => process.exit(3));
} else {
	await main();
}
