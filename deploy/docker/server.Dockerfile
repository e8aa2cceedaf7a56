# The server: rendezvous, relay, STUN, and the workers' rendezvous.
# Build at the root of the repository:  docker build -f deploy/docker/server.Dockerfile -t gimlet-server .
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

# Not the "chiseled" image: the health check is a script of bash, see health.sh.
FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}
COPY --from=build /out/ /app/
COPY deploy/docker/health.sh /app/
# The server keeps nothing on disk. Without the diagnostics' socket the root file system may be read-only.
ENV PORT=8080 DOTNET_EnableDiagnostics=0
EXPOSE 8080/tcp 3478/udp 3479/udp
# The image's own user "app", by its number: platforms that ask for a user other than root cannot know what a name means.
USER $APP_UID
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["bash", "/app/health.sh", "/healthz"]
ENTRYPOINT ["/app/gimlet", "serve"]
CMD ["--workers"]
