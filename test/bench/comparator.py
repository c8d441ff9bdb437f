"""What a physicist would write instead of haloscope: one process, scipy, a Kafka client.

Reads slices from a topic, averages |FFT|^2 per file, publishes the same JSON as haloscope. Prints `ready` when it
has its partitions, then one line per published file.
"""

import argparse
import json
import signal

import numpy as np
import scipy.fft

BINS = 3072
SCALE = 1 / (BINS * 2e6 * np.sqrt(2))


class File:
    """Sums over the slices of one file."""

    def __init__(self):
        self.count = 0
        self.sum = np.zeros(BINS)
        self.squares = np.zeros(BINS)

    def add(self, value):
        samples = np.frombuffer(value, np.float32).reshape(2, -1, BINS)
        spectrum = scipy.fft.fft(samples[0] + 1j * samples[1], axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float64)
        self.count += power.shape[0]
        self.sum += power.sum(axis=0)
        self.squares += (power**2).sum(axis=0)

    def result(self, number):
        mean = np.fft.fftshift(self.sum / self.count)
        variance = np.fft.fftshift(self.squares / self.count) - mean**2
        std = np.sqrt(variance * self.count / (self.count - 1)) * SCALE
        rows = zip((mean * SCALE).tolist(), std.tolist())
        return json.dumps(
            [
                {
                    "data": {
                        "indice": number * BINS + k,
                        "index": f"{number}_{k}",
                        "mean_x": m,
                        "stddev_x": s,
                        "count_x": self.count,
                    }
                }
                for k, (m, s) in enumerate(rows)
            ]
        ).encode()


def kafka_python(options):
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=options.brokers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
    )
    partitions = consumer.partitions_for_topic(options.topic)
    consumer.assign([TopicPartition(options.topic, p) for p in partitions])
    producer = KafkaProducer(bootstrap_servers=options.brokers, max_request_size=8 << 20)
    print("ready", flush=True)

    def publish(key, value):
        producer.send(options.results, key=key, value=value).get()

    def messages():
        for record in consumer:
            yield record.key, record.value

    return messages(), publish


def confluent(options):
    from confluent_kafka import Consumer, Producer, TopicPartition

    consumer = Consumer(
        {
            "bootstrap.servers": options.brokers,
            "group.id": "comparator",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 10,
        }
    )
    partitions = consumer.list_topics(options.topic).topics[options.topic].partitions
    consumer.assign([TopicPartition(options.topic, p, 0) for p in partitions])
    producer = Producer(
        {"bootstrap.servers": options.brokers, "message.max.bytes": 8 << 20, "linger.ms": 0}
    )
    print("ready", flush=True)

    def publish(key, value):
        producer.produce(options.results, key=key, value=value)
        producer.flush()

    def messages():
        while True:
            for record in consumer.consume(num_messages=8, timeout=0.05):
                if record.error() is None:
                    yield record.key(), record.value()

    return messages(), publish


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", choices=["kafka-python", "confluent"], required=True)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--slices", type=int, required=True)
    parser.add_argument("--files", type=int, required=True)
    options = parser.parse_args()
    messages, publish = (kafka_python if options.client == "kafka-python" else confluent)(options)
    files = {}
    done = 0
    for key, value in messages:
        number = int.from_bytes(key[:2], "big")
        file = files.setdefault(number, File())
        file.add(value)
        if file.count == options.slices:
            publish(f"python/{number}".encode(), file.result(number))
            del files[number]
            done += 1
            print(f"published {number}", flush=True)
            if done == options.files:
                # Stays until it is ended, so that its CPU time can be read.
                signal.pause()


main()
