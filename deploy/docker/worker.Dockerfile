# A worker: registers with a rendezvous, reports its UDP endpoint, is offered a peer, moves data.
# Build at the root of the repository:  docker build -f deploy/docker/worker.Dockerfile -t gimlet-worker .
ARG DOTNET=10.0

# The SDK runs on the machine that builds and makes the executable for the one that will run it: under emulation it is slow or fails.
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:${DOTNET} AS build
ARG TARGETARCH
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY eng/all.globalconfig eng/
COPY src/ src/
# The analysers had their say in CI.
RUN dotnet publish src/Gimlet.Cli --configuration Release --arch $TARGETARCH -p:RunAnalyzers=false -p:PublishDocumentationFiles=false --output /out
# Made here and copied below, so that the last stage runs nothing and needs no emulation either.
RUN mkdir -m 0700 /state

# The command line is one executable with the server in it, and that needs ASP.NET. Not "chiseled": --exec runs its command by /bin/sh.
FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}
COPY --from=build /out/ /app/
COPY deploy/docker/health.sh /app/
# The worker's key is its identity, and the rendezvous keeps a worker id for the key that proved it: mount a volume here to come back as the same one.
COPY --from=build --chown=$APP_UID:$APP_UID /state/ /var/lib/gimlet/
ENV GIMLET_KEY=/var/lib/gimlet/key.pem PORT=8080 INTERNAL_UDP_PORT_ENV=8081 DOTNET_EnableDiagnostics=0
EXPOSE 8080/tcp 8081/udp
# The image's own user "app", by its number: platforms that ask for a user other than root cannot know what a name means.
USER $APP_UID
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["bash", "/app/health.sh", "/"]
ENTRYPOINT ["/app/gimlet", "worker"]
