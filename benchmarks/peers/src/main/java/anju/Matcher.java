package anju;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;

/** The look-up of the matcher on Kafka Streams, in memory, two threads: decodes, looks up, counts. */
public final class Matcher {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private Matcher() {}

  public static void main(String[] words) throws Exception {
    long wanted = Long.parseLong(System.getenv("BENCH_EVENTS"));
    Set<String> live = Set.of(JSON.readValue(new File(System.getenv("BENCH_TOKENS")), String[].class));
    AtomicLong events = new AtomicLong();
    AtomicLong alerts = new AtomicLong();
    AtomicLong began = new AtomicLong();
    AtomicLong beganCpu = new AtomicLong();
    CountDownLatch done = new CountDownLatch(1);
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(System.getenv("BENCH_TOPIC"), Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .filter((key, value) -> {
          if (began.compareAndSet(0, System.nanoTime())) beganCpu.set(SYSTEM.getProcessCpuTime());
          boolean match = live.contains(token(value));
          if (match) alerts.incrementAndGet();
          if (events.incrementAndGet() == wanted) done.countDown();
          return match;
        })
        .foreach((key, value) -> {});
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings())) {
      streams.start();
      done.await();
      double seconds = (System.nanoTime() - began.get()) / 1e9;
      double cpu = (SYSTEM.getProcessCpuTime() - beganCpu.get()) / 1e9;
      System.out.printf(
          "{\"events\": %d, \"alerts\": %d, \"seconds\": %.6f, \"cpu_seconds\": %.6f}%n",
          events.get(), alerts.get(), seconds, cpu);
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }

  private static String token(byte[] value) {
    try {
      return JSON.readTree(value).path("token").path("value").asText();
    } catch (java.io.IOException broken) {
      return "";
    }
  }

  private static Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench-" + UUID.randomUUID());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_BOOTSTRAP"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2000);
    settings.put("security.protocol", "SASL_PLAINTEXT");
    settings.put("sasl.mechanism", "SCRAM-SHA-512");
    settings.put(
        "sasl.jaas.config",
        String.format(
            "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";",
            System.getenv("BENCH_USERNAME"), System.getenv("BENCH_PASSWORD")));
    return settings;
  }
}
