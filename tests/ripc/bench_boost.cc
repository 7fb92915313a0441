// SPDX-License-Identifier: GPL-2.0-or-later
// boost::interprocess::message_queue as a carrier of bench_ripc.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>
#include <string>

#include "tests/ripc/bench.h"

using boost::interprocess::message_queue;

static std::unique_ptr<message_queue> queues[BENCH_CHANNELS];

static std::string name_of(int channel) { return "ripc-bench-" + std::to_string(channel); }

static void boost_close()
{
	for (int c = 0; c < BENCH_CHANNELS; c++) {
		queues[c].reset();
		message_queue::remove(name_of(c).c_str());
	}
}

static int boost_open(size_t bytes, unsigned depth)
{
	boost_close();
	try {
		for (int c = 0; c < BENCH_CHANNELS; c++)
			queues[c].reset(new message_queue(boost::interprocess::create_only,
							  name_of(c).c_str(), depth, bytes));
	} catch (...) {
		return -1;
	}
	return 0;
}

static int boost_send(int channel, const void *message, size_t bytes)
{
	queues[channel]->send(message, bytes, 0);
	return 0;
}

static int boost_receive(int channel, void *message, size_t bytes)
{
	message_queue::size_type got;
	unsigned priority;
	queues[channel]->receive(message, bytes, got, priority);
	return got == bytes ? 0 : -1;
}

extern const bench_carrier bench_boost = {"boost message_queue", boost_open, boost_send,
					  boost_receive, boost_close, 0};
