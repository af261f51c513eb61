# Each image holds one program and nothing else, so it needs no base image. Build the binaries first, then an image for
# any number of platforms; `make image` makes the same images without a container runtime.
#   make build-all
#   docker buildx build --platform linux/amd64,linux/arm64 --target operator --tag IMAGE .
FROM scratch AS simulator
ARG TARGETARCH
COPY bin/linux-${TARGETARCH}/cobalt-simulator /cobalt-simulator
USER 65532:65532
ENTRYPOINT ["/cobalt-simulator"]

FROM scratch AS operator
ARG TARGETARCH
COPY bin/linux-${TARGETARCH}/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
