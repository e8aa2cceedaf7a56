namespace Gimlet.Quic.Tests.Tls.Keys;

/// <summary>The octets of RFC 8448 (example handshake traces), section 3 (simple 1-RTT) and section 5 (HelloRetryRequest, P-256).</summary>
internal static class Rfc8448
{
    // The RSA certificate of both traces.
    private const string Certificate =
        "0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504031303727361301e"
        + "170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372736130819f300d06092a864886f70d01"
        + "0101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace"
        + "6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d0"
        + "3e2bd193eff0ab9a8002c47428a6d35a8d88d79f7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d0609"
        + "2a864886f70d01010b05000381810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf3"
        + "6b7fd6c55b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0a8b2f759"
        + "409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de10000";

    public static Trace Simple { get; } = new()
    {
        ClientHellos =
        [
            "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b0009000006"
            + "736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099381de560e4bd43d23d8e"
            + "435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408050806040105010601020104020502"
            + "06020202002d00020101001c00024001",
        ],
        ServerHellos =
        [
            "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c9828876112095fe"
            + "66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304",
        ],
        EncryptedExtensions = "080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000",
        Certificate = Certificate,
        CertificateVerify =
            "0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2d33a5c141a078653fa6bef780c"
            + "5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46445c9ea58c181e818e95b8c3fb0bf3278409d3be152a3da5043e"
            + "063dda65cdf5aea20d53df"
            + "acd42f74f3",
        ServerFinished = "140000209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718",
        ClientFinished = "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61",
        Shared = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d",
        HandshakeSecret = "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac",
        MasterSecret = "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919",
        HelloHash = "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8",
        FinishedHash = "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13",
        ClientHandshake = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21",
        ServerHandshake = "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
        ClientApplication = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
        ServerApplication = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
        ServerHandshakeKey = "3fce516009c21727d0f2e4e86ee403bc",
        ServerHandshakeIv = "5d313eb2671276ee13000b30",
    };

    public static Trace Retry { get; } = new()
    {
        ClientHellos =
        [
            "010000b00303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302010000810000000b0009000006"
            + "736572766572ff01000100000a00080006001d00170018003300260024001d0020e8e8e3f3b93a25ed97a14a7dcacb8a272c6288e585c6484d05262f"
            + "cad062ad1f002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001",
            "010001fc0303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302010001cd0000000b0009000006"
            + "736572766572ff01000100000a00080006001d001700180033004700450017004104a6da7392ec591e17abfd535964b99894d13befb221b3def2ebe3"
            + "830eac8f0151812677c4d6d2237e85cf01d6910cfb83954e76ba7352830534159897e8065780002b0003020304000d0020001e040305030603020308"
            + "040805080604010501060102010402050206020202002c0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd00"
            + "30953f4edf625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7"
            + "841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0002d00020101001c00024001001500af"
            + new string('0', 2 * 0xaf),
        ],
        ServerHellos =
        [
            "020000ac0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c001301000084003300020017002c0074007271dcd04b"
            + "b88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf625636e5f21bb2e23fcc654b1b5b40318d10d137abcbb87574e3"
            + "6e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934b0002b00020304",
            "020000770303bb341d847fd789c47c387172dc0c9bf147fccacb5043d86ca4c598d3ff571b9800130100004f003300450017004104583e054b7a6667"
            + "2ae020ad9d2686fcc85b5ad41a134a0f03ee72b893052bd85b4c8de6776f5b04ac07d83540eab3e3d9c547bc6528c4317d294686093a6cad7d002b00"
            + "020304",
        ],
        EncryptedExtensions = "080000180016000a0008000600170018001d001c00024001" + "00000000",
        Certificate = Certificate,
        CertificateVerify =
            "0f0000840804008033ab13d4462707231b5dcae6c8190b63d1dabc74f28c395370da0b07e5b83066d0246a31acd95df475bfd799a4a70d33ad93d3a3"
            + "17a9b2c0d237a5685b219e774112e391a247607d1aeff1bbd0a39f382ee1a5fe88ae99ec59228e6497e45d48ce275a6d5ef40d169fb6f9d33b052ed3"
            + "dcdd6b5a48baafffbcb290"
            + "128415bd38",
        ServerFinished = "140000208863e6bfb0420a927fa27f34336a70ae426e968e3eb884945b96856dba3976d1",
        ClientFinished = null,
        Shared = "c142ce13ca11b5c2233652e63ad3d97844f1621fbfb9de69d547dc8fedeabeb4",
        HandshakeSecret = "ce022e5e6e81e50736d773f2d3adfce8220d049bf510f0dbfac927ef4243b148",
        MasterSecret = "1131545d0baf79ddce9b87f06945781a57dd18ef378dcd2060f8f9a569027ed8",
        HelloHash = "8aa8e828ec2f8a884fec95a3139de01c15a3daa7ff5bfc3f4bfcc21b438d7bf8",
        FinishedHash = "50f63cbf36b0dd049e7a0ba27d6455745ea2aaac54bb167f9950b2b7ce9509da",
        ClientHandshake = "158aa7ab8855073582b41d674b4055cabcc534728f659314861b4e08e2011566",
        ServerHandshake = "3403e781e2af7b6508da28574f6e95a1abf162de83a97927c37672a4a0cef8a1",
        ClientApplication = "75ecf4b972525aa0dcd057c9944d4cd5d82671d8843141d7dc2a4ff15a21dc51",
        ServerApplication = "5c74f87df04225db0f8209c9de6429e49435fdefa7cad61864874d12f31cfc8d",
        ServerHandshakeKey = "4646bfac1712c426cd78d8a24a8a6f6b",
        ServerHandshakeIv = "c7d395c08d62f297d13768ea",
    };

    // Section 5: the P-256 keys of client and server.
    public const string ClientPrivate = "ab5473467e19346ceb0a0414e41da21d4d2445bc3025afe97c4e8dc8d513da39";
    public const string ClientPoint =
        "04a6da7392ec591e17abfd535964b99894d13befb221b3def2ebe3830eac8f0151812677c4d6d2237e85cf01d6910cfb83954e76ba73528305341598"
        + "97e8065780";

    public const string ServerPrivate = "8c510601f9765bfb8ed693449a48989859b5cfa879cb9f5443c41c5ff10634ed";
    public const string ServerPoint =
        "04583e054b7a66672ae020ad9d2686fcc85b5ad41a134a0f03ee72b893052bd85b4c8de6776f5b04ac07d83540eab3e3d9c547bc6528c4317d294686"
        + "093a6cad7d";

    /// <summary>One trace; TLS_AES_128_GCM_SHA256 in both.</summary>
    internal sealed record Trace
    {
        /// <summary>One, or two when there was a HelloRetryRequest.</summary>
        public required IReadOnlyList<string> ClientHellos { get; init; }

        public required IReadOnlyList<string> ServerHellos { get; init; }

        public required string EncryptedExtensions { get; init; }

        public required string Certificate { get; init; }

        public required string CertificateVerify { get; init; }

        public required string ServerFinished { get; init; }

        public required string? ClientFinished { get; init; }

        public required string Shared { get; init; }

        public required string HandshakeSecret { get; init; }

        public required string MasterSecret { get; init; }

        public required string HelloHash { get; init; }

        public required string FinishedHash { get; init; }

        public required string ClientHandshake { get; init; }

        public required string ServerHandshake { get; init; }

        public required string ClientApplication { get; init; }

        public required string ServerApplication { get; init; }

        public required string ServerHandshakeKey { get; init; }

        public required string ServerHandshakeIv { get; init; }
    }
}
