# Holds the operator and nothing else. Build the binaries first, then the image for any number of platforms:
#   make build-all
#   docker buildx build --platform linux/amd64,linux/arm64 --tag IMAGE .
FROM scratch
ARG TARGETARCH
COPY bin/linux-${TARGETARCH}/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
