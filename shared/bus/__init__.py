"""The bus behind one port: a durable embedded log, or Apache Kafka."""
